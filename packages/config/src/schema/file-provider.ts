import type { ConfigIssue } from "../config-issue.ts";
import type { ConfigProvider } from "../config-provider.ts";
import type { GatewayConfig } from "../gateway-config.ts";
import type { ProxyConfig } from "../proxy-config.ts";
import type { Timers } from "../timers.ts";
import { systemTimers } from "../timers.ts";
import type { ConfigSource } from "./config-node.ts";
import { decodeTree } from "./decode-gateway-file.ts";
import type { Environment } from "./environment.ts";
import { locateIn } from "./issue-position.ts";
import { fingerprint, readSourceFiles } from "./read-source-file.ts";
import { DirectoryWatcher, directoriesToWatch, identity } from "./watch-path.ts";

export interface FileProviderOptions {
  /** Unknown keys are errors. Default false: warnings. */
  readonly strict?: boolean | undefined;
  /** Where overrides are looked for, at each load. Default: none; give `process.env` for .NET's behaviour. */
  readonly env?: Environment | undefined;
  /** Milliseconds that the files must be left alone before a change is told. Default 50. */
  readonly debounce?: number | undefined;
  /** Milliseconds between looks at the files that need no event, for file systems that send none. Default 10 000; 0 is never. */
  readonly pollInterval?: number | undefined;
  readonly timers?: Timers | undefined;
  /** Told of everything in the files at each load that succeeds: `load` gives the `ReverseProxy` section alone. Must not throw. */
  readonly onLoad?: ((config: GatewayConfig) => void) | undefined;
}

/**
 * Reads the `ReverseProxy` section of one or several files (see `loadGatewayConfig`) and tells of changes to them. `load` checks
 * structure and rejects with `ConfigError`; the rules of meaning are checked by who uses the configuration (`createConfigManager`).
 * Nothing is watched before `subscribe`, and no watch keeps the process alive.
 */
export function fileProvider(paths: string | readonly string[], options: FileProviderOptions = {}): ConfigProvider {
  return new FileProvider(typeof paths === "string" ? [paths] : paths, options);
}

class FileProvider implements ConfigProvider {
  readonly name: string;
  readonly #paths: readonly string[];
  readonly #options: FileProviderOptions;
  readonly #timers: Timers;
  readonly #listeners = new Set<() => void>();
  #source: ConfigSource | undefined;
  /** Of the files when they were loaded, or when a change was told last. */
  #seen: string | undefined;
  #watcher: DirectoryWatcher | undefined;
  #pending: unknown;
  #poll: unknown;
  #looking = false;
  #lookAgain = false;

  constructor(paths: readonly string[], options: FileProviderOptions) {
    this.name = paths.join(", ");
    this.#paths = paths;
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
  }

  async load(): Promise<ProxyConfig> {
    // Before reading: a change while reading is told afterwards.
    this.#seen = await this.#fingerprint();
    const { source, unreadable } = await readSourceFiles(this.#paths);
    // A look that ended meanwhile had nothing to compare with.
    void this.#look();
    this.#source = source;
    const { strict, env } = this.#options;
    const { config } = await decodeTree(source, { strict, env, validate: false }, unreadable);
    this.#options.onLoad?.(config);
    return config.reverseProxy;
  }

  subscribe(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    if (this.#watcher === undefined) this.#startWatching();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.close();
    };
  }

  locate(issue: ConfigIssue): ConfigIssue {
    return this.#source === undefined ? issue : locateIn(this.#source, issue);
  }

  close(): void {
    this.#listeners.clear();
    this.#watcher?.close();
    this.#watcher = undefined;
    if (this.#pending !== undefined) this.#timers.clearTimeout(this.#pending);
    if (this.#poll !== undefined) this.#timers.clearTimeout(this.#poll);
    this.#pending = undefined;
    this.#poll = undefined;
  }

  #startWatching(): void {
    this.#watcher = new DirectoryWatcher(() => this.#onEvent());
    this.#armPoll();
    void this.#look();
  }

  #onEvent(): void {
    if (this.#watcher === undefined) return;
    if (this.#pending !== undefined) this.#timers.clearTimeout(this.#pending);
    this.#pending = this.#timers.setTimeout(() => {
      this.#pending = undefined;
      void this.#look();
    }, this.#options.debounce ?? 50);
  }

  #armPoll(): void {
    const interval = this.#options.pollInterval ?? 10_000;
    if (interval <= 0) return;
    this.#poll = this.#timers.setTimeout(() => {
      this.#armPoll();
      void this.#look();
    }, interval);
  }

  /** Compares the files with what was seen last, if somebody wants to know. Never rejects. */
  async #look(): Promise<void> {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    try {
      do {
        this.#lookAgain = false;
        await this.#lookOnce();
      } while (this.#lookAgain);
    } finally {
      this.#looking = false;
    }
  }

  async #lookOnce(): Promise<void> {
    const watcher = this.#watcher;
    if (watcher === undefined) return;
    // Links may be swapped between looking and watching: done when what is watched is still what should be.
    let directories = await this.#directories();
    for (let round = 0; round < 10; round++) {
      watcher.set(directories);
      const again = await this.#directories();
      const isSettled = again.size === directories.size && [...again].every(([name, id]) => directories.get(name) === id);
      if (isSettled) break;
      directories = again;
    }
    // After the watches stand, so that nothing falls in between.
    const now = await this.#fingerprint();
    if (watcher !== this.#watcher || now === this.#seen) return;
    // Nothing has been loaded yet that could have changed.
    if (this.#seen === undefined) return;
    this.#seen = now;
    for (const listener of this.#listeners) listener();
  }

  /** What is to be watched, with the identity of each. */
  async #directories(): Promise<ReadonlyMap<string, string>> {
    const names = new Set((await Promise.all(this.#paths.map(directoriesToWatch))).flat());
    return new Map(await Promise.all([...names].map(async (name) => [name, await identity(name)] as const)));
  }

  async #fingerprint(): Promise<string> {
    return (await Promise.all(this.#paths.map(fingerprint))).join("\n");
  }
}
