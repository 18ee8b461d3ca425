import { ExchangeStateError } from "@proxy/http";
import { HttpSysError } from "@proxy/httpsys";

/** Clients break messages and connections all day; what the program itself does wrong has to be seen. */
export function isFaultOfProgram(error: Error): boolean {
  if (error instanceof ExchangeStateError || error instanceof TypeError) return true;
  if (error instanceof RangeError || error instanceof ReferenceError) return true;
  // HTTP.sys refused a call: no client can make it.
  if (error instanceof HttpSysError) return true;
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === "string" && code.startsWith("ERR_");
}
