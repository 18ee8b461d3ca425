import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ConfigManager, ConfigProvider, ProxyConfig } from "../../src/index.ts";
import { createConfigManager } from "../../src/index.ts";
import { fileProvider, loadGatewayConfig } from "../../src/schema/index.ts";

const file = (path: string): string =>
  JSON.stringify({ ReverseProxy: { Routes: { r: { ClusterId: "c", Match: { Path: path } } }, Clusters: { c: {} } } });

let directory: string;
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "config-"));
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await rm(directory, { recursive: true, force: true });
});

/** A provider without polling: only events tell it. */
function provide(paths: string | readonly string[]): ConfigProvider {
  const provider = fileProvider(paths, { debounce: 10, pollInterval: 0 });
  closing.push(() => provider.close?.());
  return provider;
}

interface Watched {
  readonly manager: ConfigManager;
  readonly failures: Error[];
  /** Waits until the path of the first route is `path`. */
  until(path: string): Promise<void>;
  /** Waits until one more load or application has failed. */
  untilFailure(): Promise<Error>;
}

async function watch(paths: string | readonly string[]): Promise<Watched> {
  let current: string | undefined;
  const failures: Error[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const check of waiting) check();
  };
  const fail = (error: Error): void => {
    failures.push(error);
    wake();
  };
  const manager = createConfigManager({
    providers: [provide(paths)],
    debounce: 1,
    listeners: [{ loadingFailed: (_, error) => fail(error), applyingFailed: (_, error) => fail(error) }],
    apply: (config: ProxyConfig) => {
      current = config.routes[0]?.match.path;
      wake();
    },
  });
  closing.push(() => manager.close());
  await manager.start();
  const when = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!holds()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return {
    manager,
    failures,
    until: (path) => when(() => current === path),
    untilFailure: async () => {
      const before = failures.length;
      await when(() => failures.length > before);
      return failures.at(-1) as Error;
    },
  };
}

async function replace(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

describe("a watched file", () => {
  it("written in place is read again", async () => {
    const path = join(directory, "proxy.json");
    await writeFile(path, file("/1"));
    const watched = await watch(path);
    await writeFile(path, file("/2"));
    await watched.until("/2");
  });

  it("replaced by a rename is read again, and again", async () => {
    const path = join(directory, "proxy.json");
    await writeFile(path, file("/0"));
    const watched = await watch(path);
    for (const next of ["/1", "/2", "/3", "/4"]) {
      await replace(path, file(next));
      await watched.until(next);
    }
  });

  it("behind a link that is swapped is read again, as Kubernetes does it", async () => {
    for (const version of ["v1", "v2", "v3"]) {
      await mkdir(join(directory, version));
      await writeFile(join(directory, version, "proxy.json"), file(`/${version}`));
    }
    await symlink("v1", join(directory, "..data"));
    await symlink(join("..data", "proxy.json"), join(directory, "proxy.json"));
    const watched = await watch(join(directory, "proxy.json"));
    await watched.until("/v1");
    for (const version of ["v2", "v3"]) {
      await symlink(version, join(directory, "..new"));
      await rename(join(directory, "..new"), join(directory, "..data"));
      await watched.until(`/${version}`);
    }
  });

  it("in a directory that is a swapped link is read again", async () => {
    for (const version of ["v1", "v2"]) {
      await mkdir(join(directory, version));
      await writeFile(join(directory, version, "proxy.json"), file(`/${version}`));
    }
    await symlink("v1", join(directory, "current"));
    const watched = await watch(join(directory, "current", "proxy.json"));
    await symlink("v2", join(directory, "next"));
    await rename(join(directory, "next"), join(directory, "current"));
    await watched.until("/v2");
    await replace(join(directory, "v2", "proxy.json"), file("/v2b"));
    await watched.until("/v2b");
  });

  it("that is deleted is reported and stays in use; when it comes back it is read", async () => {
    const path = join(directory, "proxy.json");
    await writeFile(path, file("/1"));
    const watched = await watch(path);
    const failed = watched.untilFailure();
    await unlink(path);
    expect(await failed).toMatchObject({ issues: [{ code: "file-unreadable", source: path }] });
    expect(watched.manager.current?.routes[0]?.match.path).toBe("/1");
    await writeFile(path, file("/2"));
    await watched.until("/2");
  });

  it("survives the loss of its whole directory", async () => {
    const path = join(directory, "inner", "proxy.json");
    await mkdir(join(directory, "inner"));
    await writeFile(path, file("/1"));
    const watched = await watch(path);
    const failed = watched.untilFailure();
    await rm(join(directory, "inner"), { recursive: true });
    await failed;
    await mkdir(join(directory, "inner"));
    await replace(path, file("/2"));
    await watched.until("/2");
    await replace(path, file("/3"));
    await watched.until("/3");
  });

  it("in a directory that is made anew in one go is watched on, also where it gets the same inode", async () => {
    const path = join(directory, "inner", "proxy.json");
    mkdirSync(join(directory, "inner"));
    writeFileSync(path, file("/0"));
    const watched = await watch(path);
    for (const round of [1, 2, 3]) {
      rmSync(join(directory, "inner"), { recursive: true });
      mkdirSync(join(directory, "inner"));
      writeFileSync(path, file(`/${round}`));
      await watched.until(`/${round}`);
      await replace(path, file(`/${round}/again`));
      await watched.until(`/${round}/again`);
    }
  });

  it("that is broken is reported with its position; once mended it is read", async () => {
    const path = join(directory, "proxy.json");
    await writeFile(path, file("/1"));
    const watched = await watch(path);
    let failed = watched.untilFailure();
    await replace(path, '{\n "ReverseProxy": !');
    expect(await failed).toMatchObject({ issues: expect.arrayContaining([expect.objectContaining({ code: "syntax", line: 2 })]) as unknown });
    failed = watched.untilFailure();
    await replace(path, `{\n "ReverseProxy": { "Routes": {\n "r": { "Match": { "Methods": ["GET"] } } } } }`);
    expect(await failed).toMatchObject({ issues: [{ code: "host-or-path-required", source: path, line: 3 }] });
    expect(watched.manager.current?.routes[0]?.match.path).toBe("/1");
    await replace(path, file("/2"));
    await watched.until("/2");
  });

  it("one of several is enough", async () => {
    const [first, second] = [join(directory, "a.json"), join(directory, "b.yaml")];
    await writeFile(first, file("/1"));
    await writeFile(second, "ReverseProxy: { Routes: { s: { ClusterId: c, Match: { Path: /s } } } }");
    const watched = await watch([first, second]);
    expect(watched.manager.current?.routes.map((route) => route.routeId)).toEqual(["r", "s"]);
    await replace(second, "ReverseProxy: { Routes: { t: { ClusterId: c, Match: { Path: /t } } } }");
    await replace(first, file("/2"));
    await watched.until("/2");
    await watched.manager.reload();
    expect(watched.manager.current?.routes.map((route) => route.routeId)).toEqual(["r", "t"]);
  });

  it("without events is seen by polling", async () => {
    const path = join(directory, "proxy.json");
    await writeFile(path, file("/1"));
    // The debounce never ends, so that only the poll can see the change.
    const provider = fileProvider(path, { debounce: 1_000_000, pollInterval: 5 });
    closing.push(() => provider.close?.());
    await provider.load();
    const told = new Promise<void>((resolve) => provider.subscribe(resolve));
    await replace(path, file("/2"));
    await told;
  });
});

describe("a module", () => {
  it("that never settles is given up", async () => {
    const path = join(directory, "gateway.config.mjs");
    await writeFile(path, "await new Promise(() => {}); export default {};");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const loading = expect(loadGatewayConfig(path)).rejects.toMatchObject({ issues: [{ code: "module-failed", message: expect.stringContaining("10 s") as string }] });
      await vi.advanceTimersByTimeAsync(10_000);
      await loading;
    } finally {
      vi.useRealTimers();
    }
  });

  it("is read, and again after a change", async () => {
    const path = join(directory, "gateway.config.mjs");
    const module = (route: string): string =>
      `export default { urls: "http://a:1", reverseProxy: { routes: { r: { clusterId: "c", timeout: 5000, match: { path: "${route}" } } }, clusters: { c: { httpRequest: { activityTimeout: "5s" } } } } };`;
    await writeFile(path, module("/1"));
    const { config } = await loadGatewayConfig(path);
    expect(config.urls).toEqual(["http://a:1"]);
    expect(config.reverseProxy.routes[0]).toEqual({ routeId: "r", clusterId: "c", timeout: 5000, match: { path: "/1" } });
    expect(config.reverseProxy.clusters[0]?.httpRequest?.activityTimeout).toBe(5000);
    const watched = await watch(path);
    await replace(path, module("/2"));
    await watched.until("/2");
  });

  it("may be TypeScript and export what defineConfig gives", async () => {
    const path = join(directory, "gateway.config.mts");
    const index = new URL("../../src/index.ts", import.meta.url).href;
    await writeFile(
      path,
      `import { defineConfig } from "${index}";\nconst path: string = "/ts";\nexport default defineConfig({ routes: { r: { clusterId: "c", timeout: "2s", match: { path } } }, clusters: { c: {} } });\n`,
    );
    const { config } = await loadGatewayConfig(path);
    expect(config.reverseProxy.routes).toEqual([{ routeId: "r", clusterId: "c", timeout: 2000, match: { path: "/ts" } }]);
  });

  it.each([
    ["that throws", "throw new Error('oops');", "module-failed"],
    ["without default export", "export const a = 1;", "module-export"],
    ["that exports a function inside", "export default { routes: { r: { match: () => 1 } } };", "module-export"],
    ["that is no object", "export default [1];", "module-export"],
    ["that contains itself", "const a = { routes: {} }; a.routes.r = a; export default a;", "too-deep"],
  ])("%s is refused", async (_, content, code) => {
    const path = join(directory, "gateway.config.mjs");
    await writeFile(path, content);
    await expect(loadGatewayConfig(path)).rejects.toMatchObject({ issues: [{ code, source: path }] });
  });
});
