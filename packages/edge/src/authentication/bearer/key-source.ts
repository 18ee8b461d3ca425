/**
 * Where an issuer's keys come from. Those of a file or a secret are there when the configuration is in force. Those that are asked for:
 *
 * 1. are read ahead when the configuration comes in force; requests that come before wait for the answer, and get `unavailable` when there is none;
 * 2. are read again when they get old, while requests go on with what is there;
 * 3. are read again at once for a key that is not known, not more often than each `coolDown`: whoever sends made-up names must not make the gateway ask;
 * 4. stay when they cannot be read again. Failures are told, and followed by a pause that grows.
 */
import { readFileSync } from "node:fs";
import type { Clock } from "@proxy/cluster";
import type { BearerConfig } from "@proxy/config";
import { watchFiles } from "@proxy/http";
import { askService, jsonObject } from "../ask-service.ts";
import type { SchemeServices } from "../scheme.ts";
import { keysOfJwks, keysOfSecret, keysOfText, type SigningKeys } from "./signing-keys.ts";

export interface KeySource {
  /** What is there now, without waiting. */
  readonly current: SigningKeys | undefined;
  /** They are used: old ones are read again, and nobody waits for that. */
  used(): void;
  /** Keys that are there or come; undefined: they cannot be had now. */
  load(): Promise<SigningKeys | undefined>;
  /** Looks for keys that are newer than `current`; undefined: that cannot be known now. */
  renew(): Promise<SigningKeys | undefined>;
  /** Seconds until asking again might help. */
  readonly retryAfter: number;
  start(): void;
  close(): void;
}

export function keySource(name: string, config: BearerConfig, services: SchemeServices, changed: () => void): KeySource {
  if (config.secret) return new FixedKeys(keysOfSecret(config.secret));
  if (config.keyFile) return new FileKeys(name, config.keyFile, services, changed);
  return new RemoteKeys(name, config, services, changed);
}

class FixedKeys implements KeySource {
  readonly current: SigningKeys;
  readonly retryAfter = 0;

  constructor(keys: SigningKeys) {
    this.current = keys;
  }

  used(): void {}

  load(): Promise<SigningKeys> {
    return Promise.resolve(this.current);
  }

  renew(): Promise<SigningKeys> {
    return Promise.resolve(this.current);
  }

  start(): void {}
  close(): void {}
}

class FileKeys implements KeySource {
  readonly retryAfter = 0;
  readonly #name: string;
  readonly #path: string;
  readonly #services: SchemeServices;
  readonly #changed: () => void;
  #stop: (() => void) | undefined;
  current: SigningKeys;

  constructor(name: string, path: string, services: SchemeServices, changed: () => void) {
    this.#name = name;
    this.#path = path;
    this.#services = services;
    this.#changed = changed;
    this.current = keysOfText(readFileSync(path, "utf8"));
  }

  used(): void {}

  load(): Promise<SigningKeys> {
    return Promise.resolve(this.current);
  }

  renew(): Promise<SigningKeys> {
    return Promise.resolve(this.current);
  }

  start(): void {
    this.#stop = watchFiles([this.#path], () => this.#read());
  }

  close(): void {
    this.#stop?.();
  }

  #read(): void {
    const { log } = this.#services;
    try {
      this.current = keysOfText(readFileSync(this.#path, "utf8"));
      this.#changed();
      log.event("info", "signing-keys-read", { scheme: this.#name, keys: this.current.size });
    } catch (error) {
      log.event("error", "signing-keys-unavailable", { scheme: this.#name, error });
    }
  }
}

const coolDown = 30_000;
const firstPause = 1000;
const longestPause = 30_000;
const largestAnswer = 524_288;

class RemoteKeys implements KeySource {
  current: SigningKeys | undefined;
  readonly #name: string;
  readonly #config: BearerConfig;
  readonly #services: SchemeServices;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #refreshInterval: number;
  readonly #closed = new AbortController();
  #reading: Promise<boolean> | undefined;
  /** How many requests wait for an answer. */
  #waiting = 0;
  #isOver = false;
  #readAt = 0;
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(name: string, config: BearerConfig, services: SchemeServices, changed: () => void) {
    this.#name = name;
    this.#config = config;
    this.#services = services;
    this.#clock = services.clock;
    this.#changed = changed;
    this.#refreshInterval = config.refreshInterval ?? 600_000;
  }

  get retryAfter(): number {
    return Math.max((this.#notBefore - this.#clock.now()) / 1000, 1);
  }

  start(): void {
    void this.#read();
  }

  /** Requests that came before a reload wait for the issuer still. */
  close(): void {
    this.#isOver = true;
    if (this.#waiting === 0) this.#closed.abort();
  }

  used(): void {
    const now = this.#clock.now();
    if (now - this.#readAt >= this.#refreshInterval && now >= this.#notBefore) void this.#read();
  }

  async load(): Promise<SigningKeys | undefined> {
    if (this.current !== undefined) return this.current;
    if (this.#reading === undefined && this.#clock.now() < this.#notBefore) return undefined;
    await this.#awaited();
    return this.current;
  }

  async renew(): Promise<SigningKeys | undefined> {
    const now = this.#clock.now();
    if (this.#reading === undefined && (now - this.#renewedAt < coolDown || now < this.#notBefore)) return this.#failures > 0 ? undefined : this.current;
    if (this.#reading === undefined) this.#renewedAt = now;
    return (await this.#awaited()) ? this.current : undefined;
  }

  async #awaited(): Promise<boolean> {
    this.#waiting++;
    const isRead = await this.#read();
    if (--this.#waiting === 0 && this.#isOver) this.#closed.abort();
    return isRead;
  }

  /** Never rejects. */
  #read(): Promise<boolean> {
    return (this.#reading ??= this.#readOnce().finally(() => (this.#reading = undefined)));
  }

  async #readOnce(): Promise<boolean> {
    const { log } = this.#services;
    try {
      const keys = keysOfJwks(jsonObject(await this.#ask(this.#config.jwksUri ?? (await this.#discover()))));
      const isNew = keys.fingerprint !== this.current?.fingerprint;
      this.current = keys;
      this.#readAt = this.#clock.now();
      this.#failures = 0;
      this.#notBefore = Number.NEGATIVE_INFINITY;
      if (isNew) {
        this.#changed();
        log.event("info", "signing-keys-read", { scheme: this.#name, keys: keys.size });
      }
      return true;
    } catch (error) {
      if (this.#closed.signal.aborted) return false;
      this.#notBefore = this.#clock.now() + Math.min(firstPause * 2 ** this.#failures++, longestPause);
      log.event(this.current === undefined ? "error" : "warning", "signing-keys-unavailable", { scheme: this.#name, error });
      return false;
    }
  }

  /** Where the issuer says that its keys are (OpenID Connect Discovery 1.0, 4; RFC 8414, 3.3). */
  async #discover(): Promise<string> {
    const { issuer = "", metadataAddress, requireHttps = true } = this.#config;
    const metadata = jsonObject(await this.#ask(metadataAddress ?? `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`));
    if (metadata?.["issuer"] !== issuer) throw new Error("the metadata are those of another issuer");
    const uri = metadata["jwks_uri"];
    if (typeof uri !== "string" || !URL.canParse(uri)) throw new Error("the metadata say not where the keys are");
    const { protocol, hostname } = new URL(uri);
    if (protocol !== "https:" && (protocol !== "http:" || (requireHttps && !isLoopback(hostname)))) throw new Error("the keys are at an address without TLS");
    return uri;
  }

  async #ask(url: string): Promise<Uint8Array> {
    const { timeout = 10_000 } = this.#config;
    const { status, body } = await askService(this.#services.fetch, { url, headers: { accept: "application/json" }, timeout, maxBytes: largestAnswer, signal: this.#closed.signal });
    if (status !== 200) throw new Error(`${new URL(url).host} answered with ${status}`);
    return body;
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
