import { errorCode, flag } from "./abi/constants.ts";
import type { HttpSysLibrary } from "./binding.ts";
import { HttpSysError } from "./errors.ts";
import { apiVersion } from "./request-queue.ts";

/**
 * Initializes the API; `terminate` takes it back. The system counts: others are not concerned.
 *
 * @throws {HttpSysError} 1058 and 1062 where the HTTP service of Windows does not run.
 */
export function initialize(library: HttpSysLibrary): void {
  const code = library.call("HttpInitialize", apiVersion, flag.HTTP_INITIALIZE_SERVER, 0n);
  if (code === 0) return;
  const isStopped = code === errorCode.ERROR_SERVICE_DISABLED || code === errorCode.ERROR_SERVICE_NOT_ACTIVE;
  const hint = isStopped ? "the HTTP service of this Windows does not run; as administrator: sc.exe config http start= demand, then sc.exe start http" : undefined;
  throw new HttpSysError("HttpInitialize", code, { hint, detail: library.why() });
}

/** Once for each `initialize`. */
export function terminate(library: HttpSysLibrary): void {
  library.call("HttpTerminate", flag.HTTP_INITIALIZE_SERVER, 0n);
}

/**
 * What `use` gives, with the API initialised for as long as it runs: before that no call of it is answered, and a question for a feature with no.
 *
 * @throws {HttpSysError} when it cannot be initialised.
 */
export function whileInitialized<Result>(library: HttpSysLibrary, use: () => Result): Result {
  initialize(library);
  try {
    return use();
  } finally {
    terminate(library);
  }
}
