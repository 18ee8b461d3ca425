import { errorNames } from "./abi/constants.ts";

/** A call of the HTTP Server API that failed. */
export class HttpSysError extends Error {
  override readonly name = "HttpSysError";
  /** Stable, such as "HTTPSYS_ERROR_ALREADY_EXISTS"; "HTTPSYS_183" for a code without a name here. */
  readonly code: string;
  /** The function that failed, such as "HttpCreateRequestQueue". */
  readonly call: string;
  /** The Windows error code. */
  readonly errorCode: number;
  /** What a person can do about it. */
  readonly hint: string | undefined;

  constructor(call: string, errorCode: number, options: { readonly hint?: string | undefined; readonly detail?: string | undefined } = {}) {
    const name = errorNames.get(errorCode);
    const detail = options.detail === undefined ? "" : ` (${options.detail})`;
    const hint = options.hint === undefined ? "" : `: ${options.hint}`;
    super(`${call} failed with ${errorCode}${name === undefined ? "" : ` ${name}`}${detail}${hint}`);
    this.code = `HTTPSYS_${name ?? errorCode}`;
    this.call = call;
    this.errorCode = errorCode;
    this.hint = options.hint;
  }
}

/** HTTP.sys cannot be had here: not Windows and no library given, koffi not installed, an export missing. */
export class HttpSysUnavailableError extends Error {
  override readonly name = "HttpSysUnavailableError";
  readonly code = "HTTPSYS_UNAVAILABLE";
}
