import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { createHttpSysServer, HttpSysError, parseUrlPrefix, startListening, type FunctionName, type HttpSysLibrary, type SystemFunctionName } from "../src/index.ts";
import { double, freePort, liveObjects, missing } from "./double.ts";

const nothing = { sessions: 0, groups: 0, urls: 0, queues: 0, rules: 0, ports: 0, calls: 0, connections: 0, lent: 0 };

async function isEmpty(): Promise<void> {
  await expect.poll(() => liveObjects()).toEqual(nothing);
}

describe.skipIf(missing !== undefined)(missing ?? "listening", () => {
  let library: HttpSysLibrary;
  beforeAll(async () => {
    library = await double();
  });
  afterEach(isEmpty);

  const options = async () => ({
    prefixes: [parseUrlPrefix(`http://+:${await freePort()}/`), parseUrlPrefix(`http://a.test:${await freePort()}/x/`)],
    queue: { name: `leaks-${process.pid}` },
    timeouts: { idleConnection: 5 },
    connectionLimit: 10,
    queueLength: 20,
    verbosity503: "full" as const,
  });

  /** The library, whose call `index` fails; tells which ones were made. */
  function failing(index: number): { library: HttpSysLibrary; made: string[] } {
    const made: string[] = [];
    const fails = (name: string): boolean => made.push(name) - 1 === index;
    const call = (name: FunctionName, ...values: Parameters<HttpSysLibrary["call"]> extends [unknown, ...infer V] ? V : never): number =>
      fails(name) ? 1450 : library.call(name, ...values);
    return {
      made,
      library: {
        ...library,
        call,
        require(name, ...values) {
          const code = call(name, ...values);
          if (code !== 0) throw new HttpSysError(name, code);
        },
        system(name: SystemFunctionName, ...values) {
          const isSetup = name === "CreateIoCompletionPort" || name === "SetFileCompletionNotificationModes";
          return isSetup && fails(name) ? 0 : library.system(name, ...values);
        },
      },
    };
  }

  test("opens all of it and closes all of it", async () => {
    const listening = startListening(library, await options());
    expect(liveObjects()).toMatchObject({ sessions: 1, groups: 1, urls: 2, queues: 1, ports: 1 });
    listening.shutDown();
    listening.shutDown();
    expect(liveObjects().urls).toBe(0);
    listening.close();
    listening.close();
  });

  test("leaves nothing open whichever call fails", async () => {
    const whole = failing(-1);
    startListening(whole.library, await options()).close();
    const steps = whole.made.indexOf("HttpAddUrlToUrlGroup") + 2;
    expect(steps).toBeGreaterThan(12);
    for (let index = 0; index < steps; index++) {
      const { library: faulty, made } = failing(index);
      const settings = await options();
      expect(() => startListening(faulty, settings), made[index] ?? `call ${index}`).toThrow(HttpSysError);
      await isEmpty();
    }
  });

  test("of a server that cannot have its URL leaves nothing open, and says what to do", async () => {
    const server = createHttpSysServer({ handler: () => undefined, library });
    const error: unknown = await server.listen({ host: "a.test", port: 80 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HttpSysError);
    expect((error as HttpSysError).code).toBe("HTTPSYS_ERROR_ACCESS_DENIED");
    expect((error as HttpSysError).message).toContain("netsh http add urlacl url=http://a.test:80/ user=");
  });

  test("of a URL that is taken says so", async () => {
    const port = await freePort();
    const first = createHttpSysServer({ handler: () => undefined, library });
    await first.listen({ port });
    const second = createHttpSysServer({ handler: () => undefined, library });
    await expect(second.listen({ port })).rejects.toMatchObject({ errorCode: 183, hint: expect.stringContaining("is registered by another") as string });
    await first.close();
  });

  test("at port 0 is refused: HTTP.sys cannot choose one", async () => {
    const server = createHttpSysServer({ handler: () => undefined, library });
    await expect(server.listen({ port: 0 })).rejects.toThrow("HTTP.sys cannot choose one");
  });
});
