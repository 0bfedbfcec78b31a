/** Why a release was not deployed; its message is printed without a stack. */
export class DeployFailure extends Error {}

/** Another release was applied meanwhile: undoing would undo that one. */
export class SupersededFailure extends DeployFailure {}
