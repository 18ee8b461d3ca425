/**
 * What `httpsys selftest` does, for people with a real Windows: 1. the machine, 2. the library and its features, 3. queue names,
 * 4. a request to this process, 5. a target process, 6. a delegated request, 7. a second rule, 8. a killed target. Each step is
 * reported, and a failed one does not keep the next from being tried.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { arch, release, version as osVersion } from "node:os";
import { HeaderList } from "@proxy/http";
import { errorCode, featureId } from "./abi/constants.ts";
import { loadHttpSys } from "./binding.ts";
import { isHttpSysDelegation, type DelegationSource, type HttpSysDelegationRule } from "./delegation-calls.ts";
import { HttpSysError } from "./errors.ts";
import type { QueueHandle } from "./handles.ts";
import { whileInitialized } from "./initialized.ts";
import { closeQueue, isCode, openQueue } from "./request-queue.ts";
import { createHttpSysServer } from "./server/httpsys-server.ts";

export interface SelftestOptions {
  readonly libraryPath?: string | undefined;
  /** The module that runs `runTarget` when it is forked with `target <queue> <port> [library]`. */
  readonly targetModule: string;
  readonly write: (line: string) => void;
}

/** Runs all steps; true when none failed. Ports are those that were free a moment before. */
export async function selftest({ libraryPath, targetModule, write }: SelftestOptions): Promise<boolean> {
  let failures = 0;
  const step = async (title: string, run: () => Promise<string> | string): Promise<void> => {
    try {
      write(`ok      ${title}: ${await run()}`);
    } catch (error) {
      failures++;
      write(`FAILED  ${title}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
    }
  };
  write(`HTTP.sys selftest, ${new Date().toISOString()}`);
  await step("machine", () => `${osVersion()} ${release()} ${arch()}, Node ${process.version}`);
  const library = await loadHttpSys({ path: libraryPath }).catch((error: unknown) => error as Error);
  if (library instanceof Error) {
    write(`FAILED  library: ${library.message}`);
    return false;
  }
  await step("features", () => {
    const isSupported = library.find("HttpIsFeatureSupported");
    if (isSupported === undefined) return "HttpIsFeatureSupported is not exported: older than Windows Server 2022";
    const names = whileInitialized(library, () => Object.entries(featureId).filter(([, id]) => id > 0 && id < 100 && isSupported(id) !== 0));
    return names.map(([name]) => name.replace("HttpFeature", "")).join(", ") || "none";
  });

  const name = `selftest-${process.pid}`;
  const [port, targetPort] = [await freePort(), await freePort()];
  let rule: HttpSysDelegationRule | undefined;
  let lastError: number | undefined;
  const server = createHttpSysServer({
    library,
    prefixes: [`http://localhost:${port}/`],
    handler(exchange) {
      const feature = exchange.features.delegation;
      if (rule === undefined || !isHttpSysDelegation(feature)) {
        exchange.response.send({ status: 200, headers: new HeaderList() }, String(process.pid));
        return;
      }
      try {
        feature.delegate(rule);
      } catch (error) {
        lastError = error instanceof HttpSysError ? error.errorCode : -1;
        exchange.response.send({ status: 503, headers: new HeaderList() }, String(error));
      }
    },
  });
  await step("listen", async () => {
    await server.listen({ host: "localhost", port });
    return `http://localhost:${port}/`;
  });
  await step("queue names", () => {
    const { handle } = openQueue(library, { name });
    try {
      const second = codeOf(() => openQueue(library, { name }));
      const absent = codeOf(() => openQueue(library, { name: `${name}-absent`, mode: "open" }));
      expectCodes({ second, absent }, { second: errorCode.ERROR_ALREADY_EXISTS, absent: errorCode.ERROR_FILE_NOT_FOUND });
      return "a second one of a name is 183, an absent one is 2";
    } finally {
      closeQueue(library, handle);
    }
  });
  await step("request", async () => {
    const { status, text } = await post(port);
    if (status !== 200 || text !== String(process.pid)) throw new Error(`status ${status}, ${text}`);
    return "answered by this process";
  });

  let target: ChildProcess | undefined;
  await step("target process", async () => {
    target = fork(targetModule, ["target", name, String(targetPort), ...(libraryPath === undefined ? [] : [libraryPath])]);
    const [message] = (await Promise.race([once(target, "message"), once(target, "exit")])) as [unknown];
    if (message !== "ready") throw new Error(`it ended or failed: ${String(message)}`);
    return `process ${target.pid} has the queue ${name}`;
  });
  const source = server.delegationSource;
  let handle: QueueHandle | undefined;
  if (source === undefined) write("missing delegation: this system does not support it; what follows is left out");
  else {
    await step("rule", () => {
      handle = source.calls.openRequestQueue(name, { delegation: true });
      source.calls.setDelegationProperty(source.urlGroup, handle, true);
      rule = { queueName: name, urlPrefix: `http://localhost:${targetPort}/`, target: handle };
      return "the queue is open for delegation, and the property set";
    });
    await step("delegation", async () => {
      const { status, text } = await post(port);
      if (status !== 200 || text !== String(target?.pid)) throw new Error(`status ${status}, ${text} instead of ${target?.pid}`);
      return "answered by the target";
    });
    await step("second rule", () => secondRule(source, name));
    await step("killed target", async () => {
      target?.kill("SIGKILL");
      if (target !== undefined && target.exitCode === null && target.signalCode === null) await once(target, "exit");
      const { status } = await post(port);
      expectCodes({ status: status ?? 0, lastError: lastError ?? 0 }, { status: 503, lastError: errorCode.ERROR_OBJECT_NO_LONGER_EXISTS });
      return "6807, and the request could still be answered with 503";
    });
    if (handle !== undefined) {
      const opened = handle;
      const removal = codeOf(() => source.calls.setDelegationProperty(source.urlGroup, opened, false));
      write(`info    removing the rule of a dead target returned ${removal}`);
      source.calls.closeRequestQueue(opened);
    }
  }
  await step("close", async () => {
    if (target?.connected === true) target.disconnect();
    await server.close(1000);
    return "done";
  });
  write(failures === 0 ? "all steps held" : `${failures} steps failed: please report all of the above`);
  return failures === 0;
}

/** The target process: answers what comes with its process id until its parent leaves. */
export async function runTarget(name: string, port: number, libraryPath: string | undefined): Promise<void> {
  const server = createHttpSysServer({
    libraryPath,
    queue: { name },
    prefixes: [`http://localhost:${port}/`],
    handler: (exchange) => exchange.response.send({ status: 200, headers: new HeaderList() }, String(process.pid)),
  });
  try {
    await server.listen({ host: "localhost", port });
    process.send?.("ready");
  } catch (error) {
    process.send?.(String(error));
    process.exitCode = 1;
    process.disconnect?.();
    return;
  }
  process.on("disconnect", () => void server.close(0));
}

function secondRule(source: DelegationSource, name: string): string {
  const second = source.calls.openRequestQueue(name, { delegation: true });
  try {
    const code = codeOf(() => source.calls.setDelegationProperty(source.urlGroup, second, true));
    expectCodes({ code }, { code: errorCode.ERROR_ALREADY_EXISTS });
    return "183";
  } finally {
    source.calls.closeRequestQueue(second);
  }
}

function codeOf(run: () => unknown): number {
  try {
    run();
    return 0;
  } catch (error) {
    if (error instanceof HttpSysError && isCode(error, error.errorCode)) return error.errorCode;
    throw error;
  }
}

function expectCodes(actual: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): void {
  for (const [name, code] of Object.entries(expected)) {
    if (actual[name] !== code) throw new Error(`${name} is ${actual[name]}, not ${code}`);
  }
}

function post(port: number): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, method: "POST", path: "/", agent: false, headers: { host: `localhost:${port}` }, timeout: 10_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => void (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode, text }));
      response.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 10 seconds")));
    request.on("error", reject);
    request.end("hello");
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
