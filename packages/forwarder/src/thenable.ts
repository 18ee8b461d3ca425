/** Whether what a user's function gave is a promise, of whatever make; anything else that it gave counts as nothing. */
export function isThenable<T>(given: T | PromiseLike<T>): given is PromiseLike<T> {
  return typeof given === "object" && given !== null && "then" in given && typeof given.then === "function";
}
