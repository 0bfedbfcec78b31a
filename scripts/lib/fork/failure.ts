/** Something that a person has to decide or mend first; its message is printed without a stack. */
export class ForkFailure extends Error {}
