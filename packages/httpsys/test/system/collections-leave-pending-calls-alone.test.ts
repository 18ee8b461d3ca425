import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble, sanitizedEnvironment } from "../../../../tooling/httpsys-double/build.ts";
import { missing } from "../double.ts";

const module = fileURLToPath(new URL("collected-memory-process.ts", import.meta.url));

interface Report {
  readonly seen: Readonly<Record<string, number>>;
  readonly gone: readonly string[];
  readonly checks: Readonly<Record<string, boolean>>;
  readonly pending: number;
}

describe.skipIf(missing !== undefined)(missing ?? "collections between the start and the end of every kind of overlapped call, through the double,", () => {
  test.each([
    // What is freed is overwritten with 0xA5, so that whoever still reads it reads nonsense.
    { title: "leave the memory of the calls where it is, with what is freed poisoned", sanitize: false },
    { title: "leave AddressSanitizer and LeakSanitizer nothing to say", sanitize: true },
  ])("$title", async ({ sanitize }) => {
    const env = { ...process.env, ...(sanitize ? sanitizedEnvironment() : { MALLOC_PERTURB_: "165" }) };
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath, ["--conditions=@proxy/source", "--expose-gc", module, buildDouble({ sanitize })], { env, timeout: 120_000 },
    );
    expect(stderr).toBe("");
    const { seen, gone, checks, pending } = JSON.parse(stdout) as Report;
    expect(gone).toEqual([]);
    expect(checks).toEqual({ body: true, response: true, certificate: true, tunnel: true });
    expect(Object.keys(seen).toSorted()).toEqual([
      "GetQueuedCompletionStatusEx", "HttpReceiveClientCertificate", "HttpReceiveHttpRequest", "HttpReceiveRequestEntityBody",
      "HttpSendHttpResponse", "HttpSendResponseEntityBody", "HttpWaitForDisconnectEx",
    ]);
    expect(pending).toBe(0);
  });
});
