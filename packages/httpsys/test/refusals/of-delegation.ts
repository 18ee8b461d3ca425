import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../../tooling/httpsys-double/build.ts";
import { errorCode as code, flag } from "../../src/abi/constants.ts";
import type { Listening, QueueHandle } from "../../src/index.ts";
import { loadKoffi } from "../../src/koffi.ts";
import { bindingInfo } from "../../src/properties.ts";
import { freePort, totals } from "../double.ts";
import { delegatePrefix, unconfirmed, type ReceivedRequest, type RefusalBench } from "./bench.ts";

interface Delegable extends ReceivedRequest {
  readonly source: Listening & { readonly port: number };
  readonly target: QueueHandle;
  readonly targetServer: Listening;
}

const post = "POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi";

/** Rules, and requests given away. */
export function refusalsOfDelegation(of: () => RefusalBench): void {
  async function delegable(withRule = true): Promise<Delegable> {
    const bench = of();
    const name = `target-${process.pid}`;
    const targetServer = await bench.listen(name);
    const source = await bench.listen();
    const target = bench.openQueue(name, 9);
    if (withRule) bench.setRule(source.urlGroup, target, true);
    return { source, target, targetServer, ...(await bench.request(source, post)) };
  }

  test("every wrong parameter, each with its reason, and then takes the right ones", async () => {
    const bench = of();
    const made = await delegable();
    const says = (why: string) => [code.ERROR_INVALID_PARAMETER, expect.stringContaining(why)];
    expect(bench.delegate(made, { bytes: delegatePrefix.length })).toEqual(says("characters were counted"));
    expect(bench.delegate(made, { bytes: delegatePrefix.length * 2 + 2 })).toEqual(says("counts the NUL"));
    expect(bench.delegate(made, { bytes: 3 })).toEqual(says("no length of UTF-16 text"));
    expect(bench.delegate(made, { propertyId: 0 })).toEqual(says("not DelegateUrl"));
    expect(bench.delegate(made, { count: 0 })).toEqual(says("PropertyInfoSetSize is 0"));
    expect(bench.delegate(made, { count: 2 })).toEqual(says("PropertyInfoSetSize is 2"));
    expect(bench.delegate(made, { group: 5n })).toEqual(says("DelegateUrlGroupId"));
    expect(bench.delegate(made, { text: "localhost:8080/" })).toEqual(says("no scheme"));
    expect(bench.delegate(made, { target: made.source.queue })).toEqual(says("without DELEGATION"));
    expect(bench.delegate(made, { target: 3n })).toEqual([code.ERROR_INVALID_HANDLE, expect.stringContaining("the target's handle")]);
    expect(bench.delegate(made, { source: 3n })).toEqual([code.ERROR_INVALID_HANDLE, expect.stringContaining("the source's handle")]);
    expect(bench.delegate(made, { id: 3n })).toEqual([code.ERROR_CONNECTION_INVALID, expect.stringContaining("no request")]);
    expect(bench.delegate(made)[0]).toBe(0);
    expect(bench.delegate(made)[0]).toBe(code.ERROR_CONNECTION_INVALID);
  });

  test(`a prefix without a trailing slash: 87 ${unconfirmed}`, async () => {
    expect(of().delegate(await delegable(), { text: "http://localhost:8080" })).toEqual([code.ERROR_INVALID_PARAMETER, expect.stringContaining("no trailing slash")]);
  });

  test(`a source without the delegation property: 5 ${unconfirmed}`, async () => {
    expect(of().delegate(await delegable(false))).toEqual([code.ERROR_ACCESS_DENIED, expect.stringContaining("no delegation property")]);
  });

  test(`a body that was read, and a response that was started: 87 ${unconfirmed}`, async () => {
    const bench = of();
    const read = await delegable();
    const memory = bench.library.memory(64);
    expect(bench.library.call("HttpReceiveRequestEntityBody", read.source.queue, read.id, 0, memory.address, 64, bench.out(), 0n)).toBe(0);
    expect(bench.delegate(read)).toEqual([code.ERROR_INVALID_PARAMETER, expect.stringContaining("body was read")]);
    const started = { ...read, ...(await bench.request(read.source, post)) };
    bench.sendHead(started.source.queue, started.id, flag.HTTP_SEND_RESPONSE_FLAG_MORE_DATA);
    expect(bench.delegate(started)).toEqual([code.ERROR_INVALID_PARAMETER, expect.stringContaining("response was started")]);
  });

  test("rules without a queue, without DELEGATION, for a queue that is bound, that are not there, and a second one: 183, until the first is gone", async () => {
    const bench = of();
    const { source, target } = await delegable();
    const set = (expected: number, why: string, property: number, handle: bigint, present: boolean): void =>
      bench.refused(expected, why, "HttpSetUrlGroupProperty", source.urlGroup, property, bindingInfo(bench.library, handle as QueueHandle, present).buffer, 16);
    set(code.ERROR_INVALID_HANDLE, "no queue", 16, 3n, true);
    set(code.ERROR_INVALID_PARAMETER, "without DELEGATION", 16, source.queue, true);
    set(code.ERROR_INVALID_PARAMETER, "opened for delegation", 7, target, true);
    set(code.ERROR_NOT_FOUND, "no rule in the group", 16, source.queue, false);
    set(code.ERROR_ALREADY_EXISTS, "this handle has a rule", 16, target, true);
    set(code.ERROR_ALREADY_EXISTS, "a rule for this queue exists", 16, bench.openQueue(`target-${process.pid}`, 9), true);
    bench.setRule(source.urlGroup, target, false);
    bench.setRule(source.urlGroup, target, true);
  });

  test("a target that closed its queue: 6807", async () => {
    const made = await delegable();
    made.targetServer.close();
    expect(of().delegate(made)).toEqual([code.ERROR_OBJECT_NO_LONGER_EXISTS, expect.stringContaining("gone")]);
  });

  test("a target that takes nothing: after a while 1450, and 1229 when the client leaves meanwhile", async () => {
    const bench = of();
    const name = `stopped-${process.pid}`;
    const module = fileURLToPath(new URL("../system/target.ts", import.meta.url));
    const child = fork(module, [buildDouble(), name, String(await freePort())], { execArgv: ["--conditions=@proxy/source"] });
    await once(child, "message");
    const source = await bench.listen();
    const target = bench.openQueue(name, 9);
    bench.setRule(source.urlGroup, target, true);
    child.kill("SIGSTOP");
    let refusal: readonly [number, string | undefined] = [0, undefined];
    while (refusal[0] === 0) {
      const { id } = await bench.request(source, post);
      refusal = bench.delegate({ source, target, id });
    }
    expect(refusal).toEqual([code.ERROR_NO_SYSTEM_RESOURCES, "the target's queue is full"]);

    const { id, client } = await bench.request(source, post);
    const { info, text } = bench.delegateInfo();
    process.env["HTTPSIM_PATIENCE"] = "60000";
    const call = loadKoffi().load(buildDouble()).func("HttpDelegateRequestEx", "uint32_t", ["uint64_t", "uint64_t", "uint64_t", "uint64_t", "uint32_t", "void *"]);
    const delegating = new Promise<number>((resolve, reject) => {
      call.async(source.queue, target, id, 0n, 1, info.address, (error: Error | null, result: number) => (error === null ? resolve(result) : reject(error)));
    });
    await expect.poll(() => totals().waiting, { interval: 1 }).toBe(1);
    client.resetAndDestroy();
    expect([await delegating, bench.library.why()]).toEqual([code.ERROR_CONNECTION_INVALID, "the request left"]);
    expect(info.buffer.length + text.buffer.length).toBeGreaterThan(0);
    delete process.env["HTTPSIM_PATIENCE"];
    child.kill("SIGKILL");
    await once(child, "exit");
  });
}
