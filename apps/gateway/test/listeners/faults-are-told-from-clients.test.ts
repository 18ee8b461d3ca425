import { BadRequestError, ClientGoneError, ExchangeStateError } from "@proxy/http";
import { HttpSysError } from "@proxy/httpsys";
import { expect, test } from "vitest";
import { isFaultOfProgram } from "../../src/listeners/fault-of-program.ts";

test.each([
  ["a call that HTTP.sys refused", new HttpSysError("HttpSendHttpResponse", 87), true],
  ["a handler out of order", new ExchangeStateError("a second end"), true],
  ["a mistake in the program", new TypeError("undefined is no function"), true],
  ["what Node says of a wrong argument", Object.assign(new Error("wrong"), { code: "ERR_INVALID_ARG_VALUE" }), true],
  ["a client that leaves", new ClientGoneError("the client left", { cause: new HttpSysError("HttpSendHttpResponse", 64) }), false],
  ["a client that breaks the protocol", new BadRequestError(400, "INVALID_HOST", "invalid Host"), false],
  ["a connection that breaks", Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }), false],
] as const)("%s: whether that is a fault of the program, and so an error in the log", (_what, error, isFault) => {
  expect(isFaultOfProgram(error)).toBe(isFault);
});
