export { asProblem } from './as-problem.js';
export * from './errors.js';
export { errorCode, isConnectError, isNetworkError } from './network-errors.js';
