/**
 * Loads, checks and applies configuration, first at start, then at each change:
 * 1. read the providers that changed (all at first); one that fails keeps what it gave last;
 * 2. merge in order of registration, run the filters, validate everything;
 * 3. hand the result to `apply`; any error before or in it leaves the running configuration as it is.
 * Passes never overlap.
 */
import type { ConfigIssue } from "./config-issue.ts";
import { ConfigError, configErrorOf, inOrder } from "./config-issue.ts";
import type { ConfigChangeListener, ConfigFilter, ConfigProvider } from "./config-provider.ts";
import { locateIssues, mergeConfigs } from "./merge-configs.ts";
import type { ProxyConfig } from "./proxy-config.ts";
import { checkSalvaged } from "./salvaged-config.ts";
import type { Timers } from "./timers.ts";
import { systemTimers } from "./timers.ts";
import type { ValidateOptions } from "./validation/validate-config.ts";
import { checkConfig } from "./validation/validate-config.ts";

export interface ConfigManagerOptions extends ValidateOptions {
  /** At least one; routes and clusters are concatenated in this order, an id given twice is an error. */
  readonly providers: readonly ConfigProvider[];
  readonly filters?: readonly ConfigFilter[] | undefined;
  readonly listeners?: readonly ConfigChangeListener[] | undefined;
  /** Puts a checked configuration into use, whole or not at all: when it throws or rejects, the former one must still be in use. */
  readonly apply: (config: ProxyConfig) => void | Promise<void>;
  /** Milliseconds from a provider's signal to the pass that reads it; signals in between join it. Default 100. */
  readonly debounce?: number | undefined;
  /** Milliseconds until a provider that failed is read again. Default 300 000. */
  readonly retryInterval?: number | undefined;
  readonly timers?: Timers | undefined;
}

export interface ConfigManager {
  /**
   * The first load. Rejects with a `ConfigError` that holds everything found in all providers; nothing is watched then.
   * To be called once.
   */
  start(): Promise<ProxyConfig>;
  /** Reads all providers again, without waiting. Resolves to whether all could be read and the result is in use. */
  reload(): Promise<boolean>;
  /** What is in use: merged and filtered. */
  readonly current: ProxyConfig | undefined;
  /** Stops watching, waits for a pass that runs, closes the providers. No timer stays. */
  close(): Promise<void>;
}

/** A manager over `providers`; it does nothing before `start`. Throws `TypeError` when there is no provider. */
export function createConfigManager(options: ConfigManagerOptions): ConfigManager {
  if (options.providers.length === 0) throw new TypeError("at least one configuration provider is required");
  return new Manager(options);
}

interface Source {
  readonly provider: ConfigProvider;
  /** What it gave last. */
  snapshot: ProxyConfig | undefined;
  failed: boolean;
}

class Manager implements ConfigManager {
  current: ProxyConfig | undefined;
  readonly #options: ConfigManagerOptions;
  readonly #timers: Timers;
  readonly #sources: readonly Source[];
  readonly #changed = new Set<Source>();
  #unsubscribe: (() => void)[] = [];
  /** What the providers had given for `current`, and its warnings. */
  #inUse: readonly ProxyConfig[] = [];
  #warnings: ReadonlySet<string> = new Set();
  #passes: Promise<unknown> = Promise.resolve();
  #debounce: unknown;
  #retry: unknown;
  #started = false;
  #closed = false;

  constructor(options: ConfigManagerOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#sources = options.providers.map((provider) => ({ provider, snapshot: undefined, failed: false }));
  }

  start(): Promise<ProxyConfig> {
    if (this.#started) throw new TypeError("a configuration manager is started once");
    this.#started = true;
    // Before reading, so that no change falls in between.
    for (const source of this.#sources) {
      this.#unsubscribe.push(source.provider.subscribe(() => this.#onChange(source)));
    }
    return this.#serialise(async () => {
      try {
        const config = await this.#firstPass();
        this.#tell((listener) => listener.applied?.(this.#snapshots()));
        return config;
      } catch (error) {
        this.#stopWatching();
        throw error;
      }
    });
  }

  async reload(): Promise<boolean> {
    if (this.#closed) return false;
    return this.#serialise(() => this.#pass(new Set(this.#sources), true));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWatching();
    await this.#passes;
    // A pass that ran may have armed the retry.
    this.#stopWatching();
    for (const { provider } of this.#sources) await provider.close?.();
  }

  async #firstPass(): Promise<ProxyConfig> {
    const errors = await Promise.all(this.#sources.map((source) => this.#read(source)));
    if (errors.some((error) => error !== undefined)) throw await this.#firstLoadError(errors);
    this.#tell((listener) => listener.loaded?.(this.#snapshots()));
    try {
      await this.#apply();
    } catch (error) {
      const failure = asError(error);
      this.#tell((listener) => listener.applyingFailed?.(this.#snapshots(), failure));
      if (failure instanceof ConfigError) throw failure;
      throw configErrorOf([{ code: "apply-failed", severity: "error", message: `the configuration could not be applied: ${failure.message}`, path: [] }], { cause: failure });
    }
    return this.current as ProxyConfig;
  }

  /** Everything wrong: what could not be read, and what is wrong in the rest. */
  async #firstLoadError(errors: readonly (Error | undefined)[]): Promise<ConfigError> {
    const unreadable: ConfigIssue[] = [];
    const readable: ProxyConfig[] = [];
    for (const [index, source] of this.#sources.entries()) {
      const error = errors[index];
      if (error === undefined) {
        if (source.snapshot !== undefined) readable.push(source.snapshot);
        continue;
      }
      unreadable.push(...issuesOf(source.provider, error));
      const { salvaged } = error as { readonly salvaged?: ProxyConfig | undefined };
      if (salvaged !== undefined) readable.push(salvaged);
    }
    const { filters = [], providers } = this.#options;
    const semantic = readable.length === 0 ? [] : await checkSalvaged(mergeConfigs(readable), unreadable, filters, this.#options);
    const issues = inOrder([...unreadable, ...locateIssues(semantic, providers)]);
    return configErrorOf(issues, { cause: errors.find((error) => error !== undefined) });
  }

  /** Reads one provider; its last snapshot stays when it fails. */
  async #read(source: Source): Promise<Error | undefined> {
    this.#changed.delete(source);
    try {
      source.snapshot = await source.provider.load();
      source.failed = false;
      return undefined;
    } catch (error) {
      source.failed = true;
      const failure = asError(error);
      this.#tell((listener) => listener.loadingFailed?.(source.provider, failure));
      return failure;
    }
  }

  /** One reload. Never rejects. What was refused before is tried again when it is asked for, or when something is new. */
  async #pass(sources: ReadonlySet<Source>, isAskedFor = false): Promise<boolean> {
    if (this.#closed || this.current === undefined) return false;
    const before = this.#snapshots();
    const errors = await Promise.all([...sources].map((source) => this.#read(source)));
    if (this.#closed) return false;
    this.#armRetry();
    const configs = this.#snapshots();
    this.#tell((listener) => listener.loaded?.(configs));
    const isNew = !isSame(configs, before);
    const isInUse = isSame(configs, this.#inUse);
    if (!isNew && !isInUse && !isAskedFor) return false;
    try {
      if (!isInUse) await this.#apply();
    } catch (error) {
      const failure = asError(error);
      this.#tell((listener) => listener.applyingFailed?.(configs, failure));
      return false;
    }
    this.#tell((listener) => listener.applied?.(configs));
    return errors.every((error) => error === undefined);
  }

  async #apply(): Promise<void> {
    const snapshots = this.#snapshots();
    const checked = await checkConfig(mergeConfigs(snapshots), this.#options.filters ?? [], this.#options);
    const located = locateIssues(checked.issues, this.#options.providers);
    if (located.some((issue) => issue.severity === "error")) throw configErrorOf(located);
    await this.#options.apply(checked.config);
    this.current = checked.config;
    this.#inUse = snapshots;
    this.#warn(inOrder([...snapshots.flatMap((config) => config.warnings ?? []), ...located]));
  }

  /** Tells what the configuration before did not have. */
  #warn(warnings: readonly ConfigIssue[]): void {
    const known = this.#warnings;
    const fresh = warnings.filter((warning) => !known.has(identityOf(warning)));
    this.#warnings = new Set(warnings.map(identityOf));
    if (fresh.length > 0) this.#tell((listener) => listener.warned?.(fresh));
  }

  #snapshots(): readonly ProxyConfig[] {
    return this.#sources.flatMap(({ snapshot }) => (snapshot === undefined ? [] : [snapshot]));
  }

  #onChange(source: Source): void {
    if (this.#closed) return;
    this.#changed.add(source);
    this.#debounce ??= this.#timers.setTimeout(() => {
      this.#debounce = undefined;
      void this.#serialise(() => this.#pass(new Set(this.#changed)));
    }, this.#options.debounce ?? 100);
  }

  #armRetry(): void {
    if (this.#retry !== undefined) return;
    if (this.#closed || !this.#sources.some((source) => source.failed)) return;
    this.#retry = this.#timers.setTimeout(() => {
      this.#retry = undefined;
      void this.#serialise(() => this.#pass(new Set(this.#sources.filter((source) => source.failed))));
    }, this.#options.retryInterval ?? 300_000);
  }

  #stopWatching(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe = [];
    if (this.#debounce !== undefined) this.#timers.clearTimeout(this.#debounce);
    if (this.#retry !== undefined) this.#timers.clearTimeout(this.#retry);
    this.#debounce = undefined;
    this.#retry = undefined;
    this.#changed.clear();
  }

  #serialise<T>(pass: () => Promise<T>): Promise<T> {
    const result = this.#passes.then(pass);
    this.#passes = result.catch(() => undefined);
    return result;
  }

  #tell(call: (listener: ConfigChangeListener) => void): void {
    for (const listener of this.#options.listeners ?? []) {
      try {
        call(listener);
      } catch {
        // A listener that fails must not keep a configuration from being used.
      }
    }
  }
}

function isSame(a: readonly ProxyConfig[], b: readonly ProxyConfig[]): boolean {
  return a.length === b.length && a.every((config, index) => config === b[index]);
}

/** What a warning says, wherever it stands: lines move when others are added. */
function identityOf({ code, entity, path, message, value }: ConfigIssue): string {
  return JSON.stringify([code, entity?.kind, entity?.id, path, message, value]);
}

function issuesOf(provider: ConfigProvider, error: Error): readonly ConfigIssue[] {
  if (error instanceof ConfigError) return error.issues;
  return [{ code: "provider-failed", severity: "error", message: `the provider '${provider.name}' failed: ${error.message}`, path: [], source: provider.name }];
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
