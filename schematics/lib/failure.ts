/** Something that the person who generates has to decide; its message is printed without a stack. */
export class GeneratorFailure extends Error {}
