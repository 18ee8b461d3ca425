import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../../tooling/httpsys-double/build.ts";
import { errorCode as code, featureId, serverProperty } from "../../src/abi/constants.ts";
import { delegationCalls } from "../../src/index.ts";
import { whileInitialized } from "../../src/initialized.ts";
import { bindingInfo } from "../../src/properties.ts";
import { freePort } from "../double.ts";
import { unconfirmed, type RefusalBench } from "./bench.ts";

/** Sessions, groups, queues, URLs, properties, ports. */
export function refusalsOfSetUp(of: () => RefusalBench): void {
  test("calls before HttpInitialize", () => {
    const bench = of();
    bench.refused(code.ERROR_DLL_INIT_FAILED, "HttpInitialize", "HttpCreateServerSession", 2, bench.out(), 0);
    bench.refused(code.ERROR_DLL_INIT_FAILED, "HttpInitialize", "HttpFindUrlGroupId", bench.text("http://a/"), 3n, bench.out());
  });

  test(`features before HttpInitialize: there are none ${unconfirmed}, and whoever asks for delegation initialises first`, () => {
    const { library } = of();
    expect([library.call("HttpIsFeatureSupported", featureId.HttpFeatureDelegateEx), library.why()]).toEqual([0, "HttpInitialize was not called"]);
    expect(delegationCalls(library).unsupported).toBeUndefined();
    // It was given back: whoever asks without it has no answer again.
    expect(library.call("HttpIsFeatureSupported", featureId.HttpFeatureDelegateEx)).toBe(0);
    expect(whileInitialized(library, () => library.call("HttpIsFeatureSupported", featureId.HttpFeatureDelegateEx))).toBe(1);
    expect(() => whileInitialized(library, () => { throw new Error("of its own"); })).toThrow("of its own");
    expect(library.call("HttpIsFeatureSupported", featureId.HttpFeatureDelegateEx)).toBe(0);
  });

  test("versions that are not 2.0, and reserved parameters that are used", async () => {
    const bench = of();
    bench.refused(code.ERROR_REVISION_MISMATCH, "not 2.0", "HttpInitialize", 1, 1, 0n);
    bench.refused(code.ERROR_INVALID_PARAMETER, "flags is not SERVER", "HttpInitialize", 2, 2, 0n);
    bench.refused(code.ERROR_INVALID_PARAMETER, "flags is not SERVER", "HttpTerminate", 1, 8n);
    await bench.listen();
    bench.refused(code.ERROR_REVISION_MISMATCH, "not 2.0", "HttpCreateServerSession", 1, bench.out(), 0);
    bench.refused(code.ERROR_INVALID_PARAMETER, "no place for the id", "HttpCreateServerSession", 2, 0n, 0);
  });

  test("ids and handles that are none", async () => {
    const bench = of();
    const { queue, urlGroup } = await bench.listen();
    bench.refused(code.ERROR_INVALID_PARAMETER, "no server session", "HttpCloseServerSession", 3n);
    bench.refused(code.ERROR_INVALID_PARAMETER, "no server session", "HttpCreateUrlGroup", 3n, bench.out(), 0);
    const session = bench.out();
    bench.library.require("HttpCreateServerSession", 2, session, 0);
    const id = session.readBigUInt64LE(0);
    bench.refused(code.ERROR_INVALID_PARAMETER, "reserved is not 0", "HttpCreateUrlGroup", id, bench.out(), 1);
    bench.refused(code.ERROR_INVALID_PARAMETER, "or no value", "HttpSetServerSessionProperty", 3n, 3, bench.out(), 8);
    bench.refused(code.ERROR_INVALID_PARAMETER, "HTTP_TIMEOUT_LIMIT_INFO", "HttpSetServerSessionProperty", id, 3, bench.out(), 8);
    bench.refused(code.ERROR_NOT_SUPPORTED, "property 9 of a server session", "HttpSetServerSessionProperty", id, 9, bench.out(), 8);
    bench.library.require("HttpCloseServerSession", id);
    bench.refused(code.ERROR_INVALID_PARAMETER, "no URL group", "HttpCloseUrlGroup", 3n);
    bench.refused(code.ERROR_INVALID_PARAMETER, "no URL group", "HttpRemoveUrlFromUrlGroup", 3n, 0n, 1);
    bench.refused(code.ERROR_INVALID_PARAMETER, "no URL group", "HttpSetUrlGroupProperty", 3n, 7, bench.out(), 8);
    bench.refused(code.ERROR_INVALID_PARAMETER, "no URL group", "HttpQueryUrlGroupProperty", 3n, 3, bench.out(), 8, 0n);
    bench.refused(code.ERROR_INVALID_HANDLE, "no queue", "HttpShutdownRequestQueue", 3n);
    bench.refused(code.ERROR_INVALID_HANDLE, "no queue", "HttpCloseRequestQueue", 3n);
    bench.refused(code.ERROR_INVALID_HANDLE, "no queue", "HttpSetRequestQueueProperty", 3n, 4, bench.out(), 4, 0, 0n);
    bench.refused(code.ERROR_INVALID_HANDLE, "no queue", "HttpQueryRequestQueueProperty", 3n, 4, bench.out(), 4, 0, 0n, 0n);
    expect([bench.library.system("CreateIoCompletionPort", queue, 3n, 0n, 0), bench.library.why()]).toEqual([0, "no completion port has this handle"]);
    const port = BigInt(bench.library.system("CreateIoCompletionPort", 0xffff_ffff_ffff_ffffn, 0n, 0n, 0));
    expect([bench.library.system("CreateIoCompletionPort", queue, port, 0n, 0), bench.library.why()]).toEqual([0, expect.stringContaining("has a port already")]);
    bench.library.system("CloseHandle", port);
    bench.refused(code.ERROR_INVALID_PARAMETER, "no URL, or no place", "HttpFindUrlGroupId", bench.text("http://a/"), queue, 0n);
    bench.refused(code.ERROR_NOT_FOUND, "no URL group of the queue", "HttpFindUrlGroupId", bench.text("http://a.test:1/"), queue, bench.out());
    expect(urlGroup).toBeGreaterThan(0n);
  });

  test("queue names that are taken, absent, another account's or none, and flags that do not go together", async () => {
    const bench = of();
    const name = `rules-${process.pid}`;
    await bench.listen(name);
    const create = (expected: number, why: string, value: string | undefined, attributes: bigint, flags: number): void =>
      bench.refused(expected, why, "HttpCreateRequestQueue", 2, value === undefined ? 0n : bench.text(value), attributes, flags, bench.out());
    create(code.ERROR_ALREADY_EXISTS, "a queue has this name", name.toUpperCase(), 0n, 0);
    create(code.ERROR_FILE_NOT_FOUND, "no queue has this name", "absent", 0n, 1);
    create(code.ERROR_INVALID_NAME, "without slash", "a\\b", 0n, 0);
    create(code.ERROR_INVALID_PARAMETER, "OPEN_EXISTING without a name", undefined, 0n, 1);
    create(code.ERROR_INVALID_PARAMETER, "security attributes", name, 8n, 1);
    create(code.ERROR_INVALID_PARAMETER, "DELEGATION without OPEN_EXISTING", "new", 0n, 8);
    create(code.ERROR_INVALID_PARAMETER, "an unknown flag", name, 0n, 64);
    process.env["HTTPSIM_FOREIGN_QUEUE"] = "foreign";
    create(code.ERROR_ACCESS_DENIED, "belongs to another account", "foreign", 0n, 1);
    delete process.env["HTTPSIM_FOREIGN_QUEUE"];
    for (let i = 1; i < 16; i++) bench.openQueue(name, 1);
    create(code.ERROR_NO_SYSTEM_RESOURCES, "16 processes have this queue open", name, 0n, 1);
  });

  test(`a delegator's handle that keeps a queue in being: nobody can create it ${unconfirmed}`, async () => {
    const bench = of();
    const name = `kept-${process.pid}`;
    process.env["HTTPSIM_DELEGATORS_KEEP_QUEUES"] = "1";
    await bench.listen();
    const { close } = await bench.listen(name);
    bench.openQueue(name, 9);
    delete process.env["HTTPSIM_DELEGATORS_KEEP_QUEUES"];
    close();
    bench.refused(code.ERROR_ALREADY_EXISTS, "a queue has this name", "HttpCreateRequestQueue", 2, bench.text(name), 0n, 0, bench.out());
    bench.openQueue(name, 1);
  });

  test(`prefixes without a trailing slash ${unconfirmed}, registered, unreserved, on a port that is taken, or not there to be removed`, async () => {
    const bench = of();
    const { urlGroup, port } = await bench.listen();
    const add = (expected: number, why: string, url: string): void => bench.refused(expected, why, "HttpAddUrlToUrlGroup", urlGroup, bench.text(url), 0n, 0);
    bench.refused(code.ERROR_INVALID_PARAMETER, "no URL", "HttpAddUrlToUrlGroup", urlGroup, 0n, 0n, 0);
    add(code.ERROR_INVALID_PARAMETER, "trailing slash", "http://+:8080/a");
    add(code.ERROR_ALREADY_EXISTS, "registered already", `http://+:${port}/`);
    add(code.ERROR_ACCESS_DENIED, "below 1024", "http://+:80/");
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    add(code.ERROR_SHARING_VIOLATION, "the port cannot be had", `http://+:${(other.address() as AddressInfo).port}/`);
    other.close();
    await once(other, "close");
    bench.refused(code.ERROR_INVALID_PARAMETER, "REMOVE_ALL together", "HttpRemoveUrlFromUrlGroup", urlGroup, bench.text("http://a/"), 1);
    bench.refused(code.ERROR_INVALID_PARAMETER, "no URL", "HttpRemoveUrlFromUrlGroup", urlGroup, 0n, 0);
    bench.refused(code.ERROR_FILE_NOT_FOUND, "not in this group", "HttpRemoveUrlFromUrlGroup", urlGroup, bench.text("http://a.test:1/"), 0);
  });

  test("a prefix that another process has", async () => {
    const bench = of();
    const { urlGroup } = await bench.listen();
    const port = await freePort();
    const module = fileURLToPath(new URL("../system/shared-queue-process.ts", import.meta.url));
    const child = fork(module, [buildDouble(), `other-${process.pid}`, String(port)], { execArgv: ["--conditions=@proxy/source"] });
    await once(child, "message");
    bench.refused(code.ERROR_ALREADY_EXISTS, "another process has registered", "HttpAddUrlToUrlGroup", urlGroup, bench.text(`http://localhost:${port}/`), 0n, 0);
    child.disconnect();
    await once(child, "exit");
  });

  test("properties of the wrong size, value or kind", async () => {
    const bench = of();
    const { urlGroup, queue } = await bench.listen();
    const info = bindingInfo(bench.library, queue, true).buffer;
    const group = (expected: number, why: string, property: number, value: Buffer, size: number): void =>
      bench.refused(expected, why, "HttpSetUrlGroupProperty", urlGroup, property, value, size);
    group(code.ERROR_INVALID_PARAMETER, "HTTP_BINDING_INFO", serverProperty.HttpServerBindingProperty, info, 8);
    group(code.ERROR_INVALID_PARAMETER, "HTTP_BINDING_INFO", serverProperty.HttpServerDelegationProperty, info, 8);
    group(code.ERROR_INVALID_PARAMETER, "HTTP_TIMEOUT_LIMIT_INFO", serverProperty.HttpServerTimeoutsProperty, info, 16);
    group(code.ERROR_INVALID_PARAMETER, "HTTP_QOS_SETTING_INFO", serverProperty.HttpServerQosProperty, info, 8);
    group(code.ERROR_INVALID_PARAMETER, "HTTP_STATE_INFO", serverProperty.HttpServerStateProperty, info, 16);
    group(code.ERROR_NOT_SUPPORTED, "only the connection limit", serverProperty.HttpServerQosProperty, bench.library.memory(16).buffer, 16);
    group(code.ERROR_NOT_SUPPORTED, "property 8 of a URL group", 8, info, 16);
    group(code.ERROR_INVALID_HANDLE, "no queue", serverProperty.HttpServerBindingProperty, bindingInfo(bench.library, 3n as typeof queue, true).buffer, 16);
    bench.refused(code.ERROR_NOT_SUPPORTED, "property 7 of a URL group", "HttpQueryUrlGroupProperty", urlGroup, 7, info, 16, 0n);
    bench.refused(code.ERROR_INVALID_PARAMETER, "HTTP_TIMEOUT_LIMIT_INFO", "HttpQueryUrlGroupProperty", urlGroup, 3, info, 16, 0n);
    const number = (value: number): Buffer => {
      const { buffer } = bench.library.memory(4);
      buffer.writeUInt32LE(value, 0);
      return buffer;
    };
    bench.refused(code.ERROR_INVALID_PARAMETER, "length 0", "HttpSetRequestQueueProperty", queue, 4, number(0), 4, 0, 0n);
    bench.refused(code.ERROR_INVALID_PARAMETER, "no such verbosity", "HttpSetRequestQueueProperty", queue, 6, number(3), 4, 0, 0n);
    bench.refused(code.ERROR_INVALID_PARAMETER, "not a ULONG", "HttpSetRequestQueueProperty", queue, 4, bench.out(), 8, 0, 0n);
    bench.refused(code.ERROR_NOT_SUPPORTED, "property 9 of a queue", "HttpSetRequestQueueProperty", queue, 9, number(1), 4, 0, 0n);
    bench.refused(code.ERROR_INVALID_PARAMETER, "not a ULONG", "HttpQueryRequestQueueProperty", queue, 4, bench.out(), 8, 0, 0n, 0n);
    bench.refused(code.ERROR_NOT_SUPPORTED, "property 9 of a queue", "HttpQueryRequestQueueProperty", queue, 9, number(1), 4, 0, 0n, 0n);
  });
}
