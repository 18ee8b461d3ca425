import { flag } from "./abi/constants.ts";
import type { HttpSysLibrary } from "./binding.ts";
import { apiVersion } from "./request-queue.ts";

/**
 * What `use` gives, with the API initialised for as long as it runs: before that no call of it is answered, and a question for a feature with no.
 * The system counts initialisations: others are not concerned.
 *
 * @throws {HttpSysError} when it cannot be initialised.
 */
export function whileInitialized<Result>(library: HttpSysLibrary, use: () => Result): Result {
  library.require("HttpInitialize", apiVersion, flag.HTTP_INITIALIZE_SERVER, 0n);
  try {
    return use();
  } finally {
    library.call("HttpTerminate", flag.HTTP_INITIALIZE_SERVER, 0n);
  }
}
