/** Makes the models of clusters and destinations, and keeps their clients over reloads. */
import { RetryBudget, type ClusterModel, type ClusterModelBuilder, type Clock } from "@proxy/cluster";
import { httpClientEquals, type ClusterConfig, type DestinationConfig, type HttpClientConfig } from "@proxy/config";
import { prepareDestination } from "@proxy/forwarder";
import type { HttpClient } from "@proxy/http";
import type { DestinationModel } from "@proxy/cluster";
import { compileRetry } from "../retry/retry-policy.ts";
import type { ProxyClusterModel, ProxyDestinationModel } from "./cluster-models.ts";
import { serverNameOf } from "./server-name.ts";
import { policiesOf, type ClusterPolicies } from "./cluster-policies.ts";
import { SharedClient } from "./shared-client.ts";

/** Makes the HTTP client of a cluster; called when there was none or its settings changed. */
export type HttpClientFactory = (settings: HttpClientConfig, cluster: ClusterConfig) => HttpClient;

export class ModelBuilder implements ClusterModelBuilder {
  readonly #policies: ClusterPolicies;
  readonly #createClient: HttpClientFactory;
  readonly #clock: Clock | undefined;
  #current: ReadonlySet<SharedClient> = new Set();
  #next = new Set<SharedClient>();
  readonly #draining = new Set<Promise<void>>();

  constructor(policies: ClusterPolicies, createClient: HttpClientFactory, clock?: Clock) {
    this.#policies = policies;
    this.#createClient = createClient;
    this.#clock = clock;
  }

  cluster(config: ClusterConfig, previous: ClusterModel | undefined): ProxyClusterModel {
    const policies = policiesOf(config, this.#policies);
    const known = previous as ProxyClusterModel | undefined;
    const client = this.#clientFor(config, known);
    this.#next.add(client);
    const { activityTimeout, version, versionPolicy } = config.httpRequest ?? {};
    const retryBudget = new RetryBudget({ ...config.retryBudget, clock: this.#clock }, known?.retryBudget);
    return { config, ...policies, client, activityTimeout, version, versionPolicy, retry: compileRetry(config.retry), retryBudget };
  }

  destination(
    config: DestinationConfig,
    _cluster: ClusterModel,
    previous: DestinationModel | undefined,
  ): ProxyDestinationModel {
    const known = previous as ProxyDestinationModel | undefined;
    const serverName = serverNameOf(config);
    const isKnown = known?.config.address === config.address && known.prepared.origin.serverName === serverName;
    const prepared = isKnown ? known.prepared : prepareDestination(config.address, { serverName });
    return { config, prepared, host: config.host || undefined };
  }

  /** The models made since the last call are in force: clients that none of them has are drained. */
  settle(): void {
    const before = this.#current;
    this.#current = this.#next;
    this.#next = new Set();
    for (const client of before) if (!this.#current.has(client)) this.#drain(client);
  }

  /** The models made since the last call are not used: their new clients are drained. */
  discard(): void {
    const unused = this.#next;
    this.#next = new Set();
    for (const client of unused) if (!this.#current.has(client)) this.#drain(client);
  }

  /** Drains all clients; resolves when requests under way are over and connections closed. */
  async close(): Promise<void> {
    this.discard();
    this.settle();
    await Promise.all(this.#draining);
  }

  #clientFor(config: ClusterConfig, previous: ProxyClusterModel | undefined): SharedClient {
    const settings = config.httpClient ?? {};
    if (previous !== undefined && httpClientEquals(previous.config.httpClient ?? {}, settings)) return previous.client;
    return new SharedClient(this.#createClient(settings, config));
  }

  #drain(client: SharedClient): void {
    const drained = client.retire().finally(() => this.#draining.delete(drained));
    this.#draining.add(drained);
  }
}
