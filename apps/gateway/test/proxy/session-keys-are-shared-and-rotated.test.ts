import { writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { check } from "../../src/cli/check.ts";
import { configFolder } from "../support/config-file.ts";
import type { ConfigFolder } from "../support/config-file.ts";
import { bodyOf, getRaw } from "../support/raw-client.ts";
import { startRawOrigin } from "../support/raw-origin.ts";
import type { RawOrigin } from "../support/raw-origin.ts";
import { startGateway } from "../support/running-gateway.ts";
import type { RunningGateway } from "../support/running-gateway.ts";

const first = "the-first-secret-0123456789abcdef-first";
const second = "the-second-secret-0123456789abcdef-second";

let folder: ConfigFolder;
let origins: readonly RawOrigin[];
beforeEach(async () => {
  folder = await configFolder();
  origins = await Promise.all(["a", "b"].map((name) => startRawOrigin(name)));
});
afterEach(async () => {
  await Promise.all(origins.map((origin) => origin.close()));
  await folder[Symbol.asyncDispose]();
});

function config(AffinityKeys: unknown): Promise<string> {
  const Destinations = Object.fromEntries(origins.map(({ url }, index) => [`d${index}`, { Address: url }]));
  const SessionAffinity = { Enabled: true, Policy: "Cookie", FailurePolicy: "Return503Error", AffinityKeyName: "session" };
  return folder.write("gateway.json", {
    ...(AffinityKeys === undefined ? {} : { Server: { AffinityKeys } }),
    ReverseProxy: {
      Routes: { all: { ClusterId: "c", Match: { Path: "{**rest}" } } },
      Clusters: { c: { SessionAffinity, LoadBalancingPolicy: "RoundRobin", Destinations } },
    },
  });
}

/** The cookie of a new session, with the destination that it belongs to. */
async function newSession({ port }: RunningGateway): Promise<{ cookie: string; at: string }> {
  const response = await getRaw(port, "/");
  return { cookie: /\r\nset-cookie: (session=[^;]+)/i.exec(response)![1]!, at: bodyOf(response) };
}

/** Where requests with that cookie go: an origin's name, or 503. */
async function follow({ port }: RunningGateway, cookie: string): Promise<string> {
  const response = await getRaw(port, "/", "shop.test", `Cookie: ${cookie}\r\n`);
  return response.startsWith("HTTP/1.1 503") ? "503" : bodyOf(response);
}

describe("session keys", () => {
  test("of one gateway are good at another with the same secrets, from a file or the environment", async () => {
    await writeFile(`${folder.path}/affinity.keys`, `# shared\n\n${first}\n`);
    const file = await config({ Path: "affinity.keys" });
    await using one = await startGateway([file]);
    const bare = await config(undefined);
    await using other = await startGateway([bare], { env: { Server__AffinityKeys__Secrets__0: first } });
    await using stranger = await startGateway([bare], { env: { Server__AffinityKeys__Secrets__0: second } });
    for (let round = 0; round < 2; round++) {
      const { cookie, at } = await newSession(one);
      expect(await follow(other, cookie)).toBe(at);
      expect(await follow(stranger, cookie)).toBe("503");
    }
  });

  test("survive a new secret while the old one still reads, and end when it is gone; a broken file changes nothing", async () => {
    await folder.write("affinity.keys", `${first}\n`);
    await using gateway = await startGateway([await config({ Path: "affinity.keys" })]);
    const old = await newSession(gateway);
    const readAgain = (count: number) =>
      gateway.logged((entry) => String(entry["message"]).includes("were read again") && entry["secrets"] === count);
    await folder.write("affinity.keys", `${second}\n${first}\n`);
    await readAgain(2);
    expect(await follow(gateway, old.cookie)).toBe(old.at);
    const fresh = await newSession(gateway);
    await folder.write("affinity.keys", "short\n");
    process.emit("SIGHUP");
    const complaint = await gateway.logged(({ level }) => level === "error");
    expect(complaint["message"]).toContain("line 1 of");
    expect(await follow(gateway, fresh.cookie)).toBe(fresh.at);
    await folder.write("affinity.keys", second);
    process.emit("SIGHUP");
    await readAgain(1);
    expect(await follow(gateway, old.cookie)).toBe("503");
    expect(await follow(gateway, fresh.cookie)).toBe(fresh.at);
    const log = JSON.stringify(gateway.log);
    for (const secret of [first, second]) expect(log).not.toContain(secret);
  });

  test("without secrets are told to end with the process, once", async () => {
    await using gateway = await startGateway([await config(undefined)]);
    const isWarning = ({ message }: Readonly<Record<string, unknown>>): boolean => String(message).includes("end with the process");
    expect(await gateway.logged(isWarning)).toMatchObject({ level: "warn", cluster: "c" });
    expect(gateway.log.filter(isWarning)).toHaveLength(1);
  });
});

describe("secrets that cannot be used", () => {
  test.each([
    ["too short", "short-secret-of-a-test\n", "line 1 of"],
    ["twice", `${first}\n# same\n${first}\n`, "line 3 of"],
    ["none", "# nothing here\n", "has no secret"],
  ])("%s: are an error of the check and of the start, which does not show them", async (_name, text, reason) => {
    await folder.write("affinity.keys", text);
    const file = await config({ Path: "affinity.keys" });
    const failure = (await startGateway([file]).catch((error: unknown) => error)) as Error;
    expect(failure.message).toContain(reason);
    let said = "";
    const output = { out: () => {}, error: (text: string) => void (said += text) };
    expect(await check({ command: "check", files: [file], json: true, strict: false }, output)).toBe(1);
    const { issues } = JSON.parse(said) as { issues: unknown };
    expect(issues).toEqual([expect.objectContaining({ code: "affinity-keys-invalid", severity: "error" })]);
    expect(JSON.stringify(issues)).not.toMatch(/short-secret|the-first-secret/);
  });

  test("a file that is not there is named", async () => {
    await expect(startGateway([await config({ Path: "affinity.keys" })])).rejects.toThrow(`${folder.path}/affinity.keys cannot be read (ENOENT)`);
  });

  test("in the environment are named by their place", async () => {
    const failure = startGateway([await config(undefined)], { env: { Server__AffinityKeys__Secrets__0: "tiny" } });
    await expect(failure).rejects.toThrow("Secrets:0 is a secret of fewer than 32 bytes");
  });
});
