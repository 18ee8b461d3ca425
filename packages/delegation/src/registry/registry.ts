/**
 * Who delegates where. A rule is a queue with a URL prefix; under the rules of one name lies one handle, since HTTP.sys refuses a second
 * one to the same process (error 183) and takes the prefix with each call. Rules are held by destinations and by hand-overs that are
 * under way; a handle by its rules. With the last one it is closed, at once.
 */
import type { DelegationCarrier } from "../carrier.ts";
import { normalizeUrlPrefix } from "../url-prefix.ts";
import { Queue, systemQueueClock, type QueueClock, type QueueEvent, type QueueState } from "./queue.ts";

/** One rule as it is now. */
export interface RuleView {
  readonly carrier: DelegationCarrier["kind"];
  readonly queueName: string;
  readonly urlPrefix: string;
  readonly state: QueueState;
  /** Why the last attempt to attach failed; undefined when it did not. */
  readonly error: Error | undefined;
  readonly destinations: number;
  readonly handingOver: number;
}

interface QueueEntry {
  readonly key: string;
  readonly queue: Queue;
  /** By prefix. */
  readonly rules: Map<string, Rule>;
}

/** A queue and a prefix. Made by `DelegationRegistry.hold`. */
export class Rule {
  readonly carrier: DelegationCarrier;
  readonly urlPrefix: string;
  readonly queue: Queue;
  /** @internal */
  readonly entry: QueueEntry;
  /** @internal */
  destinations = 0;
  /** @internal */
  handingOver = 0;

  constructor(carrier: DelegationCarrier, urlPrefix: string, entry: QueueEntry) {
    this.carrier = carrier;
    this.urlPrefix = urlPrefix;
    this.entry = entry;
    this.queue = entry.queue;
  }
}

/** `clock`: the system's by default. `onEvent`: told what becomes of queues. */
export interface RegistryOptions {
  readonly clock?: QueueClock | undefined;
  readonly onEvent?: ((event: QueueEvent) => void) | undefined;
  /** Told each rule that is made. */
  readonly onRule?: ((queueName: string, urlPrefix: string) => void) | undefined;
}

/** The rules that are held now, by name and prefix, with a queue for each name. */
export class DelegationRegistry {
  readonly #queues = new Map<string, QueueEntry>();
  readonly #clock: QueueClock;
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemQueueClock;
  }

  /** The rule, for one destination more; its queue is attached when it is new. */
  hold(carrier: DelegationCarrier, queueName: string, urlPrefix: string): Rule {
    const key = `${carrier.kind}\n${carrier.nameKey(queueName)}`;
    let entry = this.#queues.get(key);
    const isNew = entry === undefined;
    if (entry === undefined) {
      const queue = new Queue(queueName, carrier, this.#clock, this.#options.onEvent ?? (() => undefined));
      entry = { key, queue, rules: new Map() };
      this.#queues.set(key, entry);
    }
    const prefix = normalizeUrlPrefix(urlPrefix);
    let rule = entry.rules.get(prefix);
    if (rule === undefined) {
      rule = new Rule(carrier, prefix, entry);
      entry.rules.set(prefix, rule);
      this.#options.onRule?.(queueName, prefix);
    }
    rule.destinations++;
    if (isNew) entry.queue.attach();
    return rule;
  }

  /** One destination less. */
  letGo(rule: Rule): void {
    rule.destinations--;
    this.#releaseUnused(rule);
  }

  /** A hand-over begins, which keeps the rule until `handedOver`. */
  handingOver(rule: Rule): void {
    rule.handingOver++;
  }

  handedOver(rule: Rule): void {
    rule.handingOver--;
    this.#releaseUnused(rule);
  }

  /**
   * Closes the handle of a queue, so that a process that starts again can create it; requests attach again. Without a prefix whatever its
   * rules; with one, if there is such a rule. Gives whether there was something to reset.
   */
  resetQueue(queueName: string, urlPrefix?: string): boolean {
    const prefix = urlPrefix === undefined ? undefined : normalizeUrlPrefix(urlPrefix);
    let found = false;
    for (const { queue, rules } of this.#queues.values()) {
      const [rule] = rules.values();
      if (rule === undefined || rule.carrier.nameKey(queue.name) !== rule.carrier.nameKey(queueName)) continue;
      if (prefix !== undefined && !rules.has(prefix)) continue;
      queue.reset();
      found = true;
    }
    return found;
  }

  /** All rules as they are now. */
  get rules(): readonly RuleView[] {
    return [...this.#queues.values()].flatMap(({ queue, rules }) =>
      [...rules.values()].map(({ carrier, urlPrefix, destinations, handingOver }) => ({
        carrier: carrier.kind, queueName: queue.name, urlPrefix, state: queue.state, error: queue.error, destinations, handingOver,
      })),
    );
  }

  /** Closes all handles. */
  close(): void {
    for (const { queue } of this.#queues.values()) queue.close();
    this.#queues.clear();
  }

  #releaseUnused(rule: Rule): void {
    if (rule.destinations > 0 || rule.handingOver > 0) return;
    const { entry } = rule;
    if (entry.rules.get(rule.urlPrefix) === rule) entry.rules.delete(rule.urlPrefix);
    if (entry.rules.size > 0) return;
    if (this.#queues.get(entry.key) === entry) this.#queues.delete(entry.key);
    entry.queue.close();
  }
}
