import type { ChildProcess } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
// @boundaries-ignore the double of the HTTP Server API
import { freePort, missing } from "../../../../../packages/httpsys/test/double.ts";
// @boundaries-ignore the double of the HTTP Server API
import { buildDouble } from "../../../../../tooling/httpsys-double/build.ts";
import { configFolder, type ConfigFolder } from "../../support/config-file.ts";
import { gatewayConfig, kill, ProcessStarter } from "./processes.ts";

const kinds = [
  { what: "a delegator's handle lets the queue go", env: {} },
  { what: "a delegator's handle keeps the queue in being (as versions of Windows differ)", env: { HTTPSIM_DELEGATORS_KEEP_QUEUES: "1" } },
];

describe.skipIf(missing !== undefined).each(kinds)(`${missing ?? "gateway and target on HTTP.sys, through the double"}, where $what:`, ({ env }) => {
  let processes: ProcessStarter;
  let folder: ConfigFolder;
  let port: number;
  let startGateway: (ownQueue?: string) => Promise<ChildProcess>;
  let startTarget: () => Promise<ChildProcess>;

  beforeEach(async () => {
    const library = buildDouble();
    processes = new ProcessStarter(false, env);
    folder = await configFolder();
    port = await freePort();
    const targetPort = await freePort();
    const queue = `order-${process.pid}-${port}`;
    startTarget = () => processes.start("target-process.ts", library, queue, String(targetPort));
    startGateway = async (ownQueue) => {
      const file = await folder.write("gateway.json", gatewayConfig({ library, port, targetPort, queue, ownQueue }));
      return processes.start("gateway-process.ts", library, file);
    };
  });

  afterEach(async () => {
    await processes[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const post = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/a`, { method: "POST", body: "x".repeat(1000), headers: { connection: "close" } });
    return `${response.status} ${await response.text()} by ${response.headers.get("x-process")}`;
  };
  const by = (child: ChildProcess): string => `200 1000 by ${child.pid}`;
  const refused = "503  by null";

  test("the gateway first: 503, until the target is there", async () => {
    await startGateway();
    expect(await post()).toBe(refused);
    expect(await post()).toBe(refused);
    const target = await startTarget();
    expect(await post()).toBe(by(target));
  });

  test("the target first", async () => {
    const target = await startTarget();
    await startGateway();
    expect(await post()).toBe(by(target));
  });

  test("the target dies and starts again, with and without a request meanwhile", async () => {
    const first = await startTarget();
    await startGateway();
    expect(await post()).toBe(by(first));
    await kill(first);
    const second = await startTarget();
    expect(await post()).toBe(by(second));
    await kill(second);
    expect(await post()).toBe(refused);
    const third = await startTarget();
    expect(await post()).toBe(by(third));
  });

  test("the gateway dies and starts again, and then the target does", async () => {
    const target = await startTarget();
    const first = await startGateway();
    expect(await post()).toBe(by(target));
    await kill(first);
    await startGateway();
    expect(await post()).toBe(by(target));
    await kill(target);
    const second = await startTarget();
    expect(await post()).toBe(by(second));
  });

  test("two gateways share a queue; the one that has the URL dies, and the other takes it over and delegates", async () => {
    const ownQueue = `gateways-${process.pid}-${port}`;
    const target = await startTarget();
    const first = await startGateway(ownQueue);
    await startGateway(ownQueue);
    for (let i = 0; i < 6; i++) expect(await post()).toBe(by(target));
    await kill(first);
    let answer: string | undefined;
    while (answer === undefined) answer = await post().catch(() => undefined);
    expect(answer).toBe(by(target));
    for (let i = 0; i < 6; i++) expect(await post()).toBe(by(target));
  });
});
