import { describe, expect, it } from "vitest";
import type { ConfigIssue, ConfigManager, ConfigManagerOptions, ConfigProvider, ProxyConfig, UnnamedProxyConfig } from "../src/index.ts";
import { ConfigError, createConfigManager, memoryProvider } from "../src/index.ts";
import { ManualTimers } from "./manual-timers.ts";

const routes = (...ids: readonly string[]): UnnamedProxyConfig => ({
  routes: ids.map((routeId) => ({ routeId, clusterId: "c", match: { path: `/${routeId}` } })),
  clusters: [],
});
const broken: UnnamedProxyConfig = { routes: [{ routeId: "bad", match: {} }], clusters: [] };

interface Setup {
  readonly timers: ManualTimers;
  readonly applied: string[][];
  readonly told: string[];
  readonly warnings: ConfigIssue[];
  readonly manager: ConfigManager;
  /** Waits until a listener hears `word`, after what has been waited for before. */
  heard(word: string): Promise<void>;
}

function setUp(providers: readonly ConfigProvider[], more: Partial<ConfigManagerOptions> = {}): Setup {
  const timers = new ManualTimers();
  const applied: string[][] = [];
  const told: string[] = [];
  const warnings: ConfigIssue[] = [];
  let wake: (() => void) | undefined;
  let heardUpTo = 0;
  const tell = (word: string): void => {
    told.push(word);
    wake?.();
  };
  const manager = createConfigManager({
    providers,
    timers,
    listeners: [
      {
        loaded: (configs) => tell(`loaded ${configs.length}`),
        applied: () => tell("applied"),
        loadingFailed: (provider) => tell(`loading failed: ${provider.name}`),
        applyingFailed: (_, error) => tell(`applying failed: ${error.name}`),
        warned: (issues) => warnings.push(...issues),
      },
    ],
    apply: (config) => void applied.push(config.routes.map((route) => route.routeId)),
    ...more,
  });
  const heard = (word: string): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        const at = told.indexOf(word, heardUpTo);
        if (at === -1) return;
        heardUpTo = at + 1;
        wake = undefined;
        resolve();
      };
      wake();
    });
  const started: ConfigManager = {
    ...methodsOf(manager),
    start: async () => {
      const config = await manager.start();
      heardUpTo = told.length;
      return config;
    },
    get current() {
      return manager.current;
    },
  };
  return { timers, applied, told, warnings, manager: started, heard };
}

function methodsOf(manager: ConfigManager): Pick<ConfigManager, "reload" | "close"> {
  return { reload: () => manager.reload(), close: () => manager.close() };
}

describe("the first load", () => {
  it("applies all providers at once, in order", async () => {
    const setup = setUp([memoryProvider(routes("a"), "one"), memoryProvider(routes("b"), "two")]);
    const config = await setup.manager.start();
    expect(setup.applied).toEqual([["a", "b"]]);
    expect(setup.told).toEqual(["loaded 2", "applied"]);
    expect(setup.manager.current).toBe(config);
    expect(setup.timers.pending).toBe(0);
  });

  it("rejects with the issues of all providers: what cannot be read, and what is wrong in the rest", async () => {
    const unreadable: ConfigProvider = {
      name: "file",
      load: () =>
        Promise.reject(
          new ConfigError("no", [{ code: "syntax", severity: "error", message: "no JSON", path: [] }], {
            salvaged: { routes: [], clusters: [{ clusterId: "" }], revisionId: "1" },
          }),
        ),
      subscribe: () => () => undefined,
    };
    const gone: ConfigProvider = { name: "registry", load: () => Promise.reject(new Error("not there")), subscribe: () => () => undefined };
    const setup = setUp([memoryProvider(broken), unreadable, gone]);
    const error: unknown = await setup.manager.start().catch((error: unknown) => error);
    expect((error as ConfigError).issues.map((issue) => issue.code)).toEqual([
      "host-or-path-required",
      "missing-cluster-id",
      "syntax",
      "provider-failed",
    ]);
    expect(setup.applied).toEqual([]);
  });

  it("that fails watches nothing", async () => {
    const provider = memoryProvider(broken);
    const setup = setUp([provider]);
    await expect(setup.manager.start()).rejects.toBeInstanceOf(ConfigError);
    provider.update(routes("a"));
    expect(setup.timers.pending).toBe(0);
  });

  it("an id in two providers is an error", async () => {
    const setup = setUp([memoryProvider(routes("a")), memoryProvider(routes("A"))]);
    await expect(setup.manager.start()).rejects.toMatchObject({ issues: [{ code: "cluster-unknown" }, { code: "route-duplicate", entity: { id: "A" } }] });
  });

  it("rejects with the cause when applying fails", async () => {
    const cause = new Error("port taken");
    const setup = setUp([memoryProvider(routes("a"))], { apply: () => Promise.reject(cause) });
    await expect(setup.manager.start()).rejects.toMatchObject({ cause, issues: [{ code: "apply-failed" }] });
    expect(setup.told).toEqual(["loaded 1", "applying failed: Error"]);
  });

  it("needs a provider", () => {
    expect(() => createConfigManager({ providers: [], apply: () => undefined })).toThrow(TypeError);
  });

  it("tells warnings, among them routes to clusters that do not exist", async () => {
    const setup = setUp([memoryProvider(routes("a"))]);
    await setup.manager.start();
    expect(setup.warnings.map((issue) => issue.code)).toEqual(["cluster-unknown"]);
  });
});

describe("a change", () => {
  it("is applied after the debounce; further changes in between join it", async () => {
    const provider = memoryProvider(routes("a"));
    const setup = setUp([provider]);
    await setup.manager.start();
    provider.update(routes("b"));
    setup.timers.advance(60);
    provider.update(routes("c"));
    expect(setup.timers.pending).toBe(1);
    setup.timers.advance(40);
    await setup.heard("applied");
    expect(setup.applied).toEqual([["a"], ["c"]]);
  });

  it("reads only the provider that changed", async () => {
    let loads = 0;
    const quiet = memoryProvider(routes("a"), "quiet");
    const counting: ConfigProvider = {
      ...quiet,
      load: () => {
        loads += 1;
        return quiet.load();
      },
    };
    const provider = memoryProvider(routes("b"));
    const setup = setUp([counting, provider]);
    await setup.manager.start();
    provider.update(routes("c"));
    setup.timers.advance(100);
    await setup.heard("applied");
    expect(loads).toBe(1);
    expect(setup.applied.at(-1)).toEqual(["a", "c"]);
  });

  it("with errors is refused whole and the running configuration stays", async () => {
    const provider = memoryProvider(routes("a"));
    const setup = setUp([provider]);
    const first = await setup.manager.start();
    provider.update(broken);
    setup.timers.advance(100);
    await setup.heard("applying failed: ConfigError");
    expect(setup.manager.current).toBe(first);
    provider.update(routes("b"));
    setup.timers.advance(100);
    await setup.heard("applied");
    expect(setup.applied).toEqual([["a"], ["b"]]);
  });

  it("that cannot be applied leaves the running configuration", async () => {
    const provider = memoryProvider(routes("a"));
    let fails = false;
    const setup = setUp([provider], {
      apply: () => {
        if (fails) throw new RangeError("no");
      },
    });
    const first = await setup.manager.start();
    fails = true;
    provider.update(routes("b"));
    setup.timers.advance(100);
    await setup.heard("applying failed: RangeError");
    expect(setup.manager.current).toBe(first);
  });

  it("during a pass waits for its end: passes never overlap", async () => {
    const provider = memoryProvider(routes("a"));
    let running = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    let entered: (() => void) | undefined;
    const setup = setUp([provider], {
      apply: async () => {
        running += 1;
        most = Math.max(most, running);
        entered?.();
        await new Promise<void>((resolve) => gates.push(resolve));
        running -= 1;
      },
    });
    const enter = (): Promise<void> => new Promise((resolve) => (entered = resolve));
    let inside = enter();
    const started = setup.manager.start();
    await inside;
    provider.update(routes("b"));
    setup.timers.advance(100);
    const reloaded = setup.manager.reload();
    inside = enter();
    gates.shift()?.();
    await started;
    await inside;
    gates.shift()?.();
    await reloaded;
    expect(most).toBe(1);
    expect(setup.manager.current?.routes[0]?.routeId).toBe("b");
  });

  it("that a provider cannot deliver is read again after the retry interval", async () => {
    const memory = memoryProvider(routes("a"), "flaky");
    let fails = false;
    const provider: ConfigProvider = { ...memory, load: () => (fails ? Promise.reject(new Error("gone")) : memory.load()) };
    const setup = setUp([provider], { retryInterval: 1000 });
    await setup.manager.start();
    fails = true;
    memory.update(routes("b"));
    setup.timers.advance(100);
    await setup.heard("applied");
    expect(setup.told).toContain("loading failed: flaky");
    expect(setup.applied).toEqual([["a"]]);
    fails = false;
    setup.timers.advance(1000);
    await setup.heard("applied");
    expect(setup.applied).toEqual([["a"], ["b"]]);
    expect(setup.timers.pending).toBe(0);
  });

  it("that was refused is not told as applied by a pass that brings nothing new; asked for, it is tried again", async () => {
    const provider = memoryProvider(routes("a"));
    const flaky = memoryProvider(routes("x"), "flaky");
    let fails = false;
    const other: ConfigProvider = { ...flaky, load: () => (fails ? Promise.reject(new Error("gone")) : flaky.load()) };
    let refuses = true;
    const setup = setUp([provider, other], {
      validators: [
        {
          name: "mood",
          validateRoute: ({ routeId }) => (refuses && routeId === "b" ? [{ code: "mood", severity: "error", message: "no", path: [] }] : []),
        },
      ],
    });
    await setup.manager.start();
    provider.update(routes("b"));
    setup.timers.advance(100);
    await setup.heard("applying failed: ConfigError");
    fails = true;
    flaky.update(routes("y"));
    setup.timers.advance(100);
    await setup.heard("loading failed: flaky");
    await setup.heard("loaded 2");
    expect(await setup.manager.reload()).toBe(false);
    expect(setup.told.filter((word) => word === "applied")).toHaveLength(1);
    expect(setup.told.filter((word) => word === "applying failed: ConfigError")).toHaveLength(2);
    refuses = false;
    fails = false;
    expect(await setup.manager.reload()).toBe(true);
    expect(setup.applied).toEqual([
      ["a", "x"],
      ["b", "y"],
    ]);
    await setup.manager.close();
  });

  it("tells only the warnings that the configuration before did not have", async () => {
    const provider = memoryProvider(routes("a"));
    const setup = setUp([provider]);
    await setup.manager.start();
    const next = async (...ids: readonly string[]): Promise<(string | undefined)[]> => {
      setup.warnings.length = 0;
      provider.update(routes(...ids));
      setup.timers.advance(100);
      await setup.heard("applied");
      return setup.warnings.map(({ entity }) => entity?.id);
    };
    expect(await next("b", "a")).toEqual(["b"]);
    expect(await next("b", "a")).toEqual([]);
    expect(await next("b")).toEqual([]);
    expect(await next("a", "b")).toEqual(["a"]);
  });

  it("a listener that throws changes nothing", async () => {
    const provider = memoryProvider(routes("a"));
    const manager = createConfigManager({
      providers: [provider],
      apply: () => undefined,
      listeners: [
        {
          applied: () => {
            throw new Error("listener");
          },
        },
      ],
    });
    await expect(manager.start()).resolves.toBeDefined();
    await manager.close();
  });
});

describe("filters", () => {
  it("see clusters first, then routes with their filtered cluster, before validation", async () => {
    const seen: (string | undefined)[] = [];
    const setup = setUp([memoryProvider({ routes: [{ routeId: "r", clusterId: "C", match: {} }], clusters: [{ clusterId: "c" }] })], {
      filters: [
        { name: "policy", cluster: (cluster) => ({ ...cluster, loadBalancingPolicy: "Random" }) },
        {
          name: "path",
          route: async (route, cluster) => {
            await Promise.resolve();
            seen.push(cluster?.loadBalancingPolicy);
            return { ...route, match: { path: "/" } };
          },
        },
      ],
    });
    const config = await setup.manager.start();
    expect(seen).toEqual(["Random"]);
    expect(config.routes[0]?.match.path).toBe("/");
    expect(config.clusters[0]?.loadBalancingPolicy).toBe("Random");
  });
});

describe("validators", () => {
  it("all run, also when one fails", async () => {
    const issue = (code: string): ConfigIssue => ({ code, severity: "error", message: code, path: [] });
    const setup = setUp([memoryProvider(routes("a"))], {
      validators: [
        {
          name: "throws",
          validateRoute: () => {
            throw new Error("oops");
          },
        },
        { name: "async", validateRoute: () => Promise.resolve([issue("own-route")]), validateConfig: () => [issue("own-whole")] },
      ],
    });
    const error: unknown = await setup.manager.start().catch((error: unknown) => error);
    const codes = (error as ConfigError).issues.filter(({ severity }) => severity === "error").map(({ code }) => code);
    expect(codes).toEqual(["validator-failed", "own-route", "own-whole"]);
  });
});

describe("issues", () => {
  it("of the whole configuration stand with those of their kind: routes, clusters, the rest", async () => {
    const issue = (code: string, entity?: ConfigIssue["entity"]): ConfigIssue => ({ code, severity: "error", message: code, path: [], entity });
    const setup = setUp([memoryProvider({ routes: routes("a").routes, clusters: [{ clusterId: "c", loadBalancingPolicy: "x" }] })], {
      validators: [{ name: "whole", validateConfig: () => [issue("rest"), issue("tie", { kind: "route", id: "a" })] }],
    });
    await expect(setup.manager.start()).rejects.toMatchObject({
      issues: [{ code: "tie" }, { code: "load-balancing-policy-unknown" }, { code: "rest" }],
    });
  });

  it("about an unknown policy name each policy once", async () => {
    const setup = setUp([memoryProvider({ routes: [], clusters: [{ clusterId: "c", loadBalancingPolicy: "x" }] })], {
      known: { loadBalancing: ["random", "Mine"] },
    });
    await expect(setup.manager.start()).rejects.toMatchObject({
      issues: [{ hint: "known are PowerOfTwoChoices, Random, RoundRobin, LeastRequests, FirstAlphabetical, ConsistentHash, Mine" }],
    });
  });
});

describe("closing", () => {
  it("leaves no timer and hears no further change", async () => {
    const provider = memoryProvider(routes("a"));
    const setup = setUp([provider]);
    await setup.manager.start();
    provider.update(routes("b"));
    expect(setup.timers.pending).toBe(1);
    await setup.manager.close();
    provider.update(routes("c"));
    expect(setup.timers.pending).toBe(0);
    expect(await setup.manager.reload()).toBe(false);
    expect(setup.applied).toEqual([["a"]]);
  });

  it("closes the providers", async () => {
    let closed = 0;
    const provider: ConfigProvider = { ...memoryProvider(routes("a")), close: () => void (closed += 1) };
    const setup = setUp([provider]);
    await setup.manager.start();
    await setup.manager.close();
    expect(closed).toBe(1);
  });
});

it("the types hold a configuration of one's own", () => {
  const config: ProxyConfig = { routes: [], clusters: [], revisionId: "1" };
  expect(memoryProvider(config).current).toEqual(config);
});
