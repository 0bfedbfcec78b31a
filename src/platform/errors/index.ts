export { asProblem } from './as-problem.js';
export * from './errors.js';
