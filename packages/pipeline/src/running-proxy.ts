/**
 * The proxy at run time. One reference, the dispatcher's `snapshot`, serves all requests. A configuration is put in force in these steps, so that
 * it is in force whole or not at all:
 *
 * 1. the route table is compiled (mostly done while validating);
 * 2. the next state of clusters is prepared; new HTTP clients are made;
 * 3. each route gets its model and its chain of steps;
 * 4. in one go: clusters swap models, the snapshot is replaced, clients that nothing uses any more are drained.
 *
 * Until 4 anything may throw: nothing has changed then.
 */
import {
  ClusterStates,
  Drains,
  createHealthMonitor,
  HealthUpdater,
  OutlierDetector,
  systemClock,
  type ClusterState,
  type DestinationState,
  type DrainOptions,
  type HealthMonitor,
} from "@proxy/cluster";
import {
  createConfigManager,
  defineConfig,
  type ConfigManager,
  type ConfigProvider,
  type ProxyConfig,
  type ProxyConfigInput,
} from "@proxy/config";
import type { ExchangeHandler } from "@proxy/http";
import { clientBehind } from "./client-address.ts";
import { configEvents } from "./config-events.ts";
import { healthEvents, probeEvents } from "./health-events.ts";
import { drainEvents } from "./drain-events.ts";
import { compileErrorPages } from "./error-pages/error-pages.ts";
import type { ProxyLogger } from "./logger.ts";
import { createNodeHandler, createNodeUpgradeHandler, type NodeHandler, type NodeHandlerOptions, type NodeUpgradeHandler } from "./node-handler.ts";
import { joinEndpoints, joinPolicies, type PreparedExtension, type ProxyExtension } from "./proxy-extension.ts";
import { proxyValidator } from "./proxy-validator.ts";
import { RequestDispatcher } from "./request-dispatcher.ts";
import type { RequestDelegator } from "./request-delegator.ts";
import type { ReverseProxy, ReverseProxyOptions } from "./reverse-proxy.ts";
import type { RouteModel } from "./route-model.ts";
import { stateView } from "./serving-snapshot.ts";
import { clientProbe } from "./state/client-probe.ts";
import { knownNames, type ClusterPolicies } from "./state/cluster-policies.ts";
import { httpClientFactory } from "./state/http-client.ts";
import { ModelBuilder } from "./state/model-builder.ts";
import type { ProxyState } from "./state/proxy-state.ts";
import { RouteCompiler } from "./state/route-compiler.ts";
import { replaceableProvider, type ReplaceableProvider } from "./state/replaceable-provider.ts";
import { createMirrors, defaultSteps } from "./steps/default-steps.ts";
import type { MirrorCounts, Mirrors } from "./traffic/mirrors.ts";
import { chainCompiler } from "./steps/runner.ts";
import { transformCatalogue } from "./transforms/catalogue.ts";
import { trustedPeers } from "./trusted-peers.ts";

export class RunningProxy implements ReverseProxy {
  readonly handle: ExchangeHandler = (exchange) => this.#dispatcher.handle(exchange);
  readonly nodeHandler: NodeHandler;
  readonly nodeUpgradeHandler: NodeUpgradeHandler;
  readonly state: ProxyState;
  readonly health: HealthMonitor;
  readonly #updater: HealthUpdater;
  readonly #outliers: OutlierDetector;
  readonly #drivesHealth: boolean;
  readonly #models: ModelBuilder;
  readonly #drains: Drains;
  readonly #mirrors: Mirrors;
  readonly #clusters: ClusterStates;
  readonly #routes: RouteCompiler;
  readonly #manager: ConfigManager;
  readonly #own: ReplaceableProvider | undefined;
  readonly #extensions: readonly ProxyExtension[];
  #updates: Promise<unknown> = Promise.resolve();
  #refusal: Error | undefined;
  readonly #shutdown = new AbortController();
  readonly #delegator: RequestDelegator | undefined;
  readonly #dispatcher: RequestDispatcher;

  constructor(options: ReverseProxyOptions, policies: ClusterPolicies, logger: ProxyLogger) {
    const { clock = systemClock, random } = options;
    this.#updater = new HealthUpdater({ clock, listeners: [healthEvents(logger), ...(options.healthListeners ?? [])] });
    this.#outliers = new OutlierDetector({
      updater: this.#updater,
      clock,
      onRefused: (cluster, destination, reason) =>
        logger.event("warning", "ejection-refused", { cluster: cluster.id, destination: destination.id, reason }),
    });
    this.health = createHealthMonitor({
      probe: clientProbe,
      updater: this.#updater,
      policies: policies.activeHealth,
      clock,
      random,
      onProbe: probeEvents(logger),
      onFault: (cluster, error) => logger.event("error", "health-policy-failed", { cluster: cluster.id, error }),
    });
    this.#drivesHealth = options.healthChecks !== "external";
    const trust = trustedPeers(options.trustedProxies ?? []);
    const errorPages = compileErrorPages(options.errorPages, (path, message) => {
      throw new TypeError(`errorPages[${path.join(".")}]: ${message}`);
    });
    const { webSocketTelemetry } = options;
    const shutdown = this.#shutdown.signal;
    const own = { logger, random, trust, health: this.#updater, outliers: this.#outliers, clock, webSocketTelemetry, shutdown, delegator: options.delegator };
    this.#delegator = options.delegator;
    this.#mirrors = createMirrors(own);
    this.#extensions = options.extensions ?? [];
    const steps = this.#extensions.reduce((held, extension) => extension.steps(held), defaultSteps({ ...own, mirrors: this.#mirrors }));
    this.#models = new ModelBuilder(policies, options.httpClientFactory ?? httpClientFactory(logger), clock);
    this.#drains = new Drains([drainEvents(logger), ...(options.drainListeners ?? [])]);
    this.#clusters = new ClusterStates(this.#models, [this.#drains, this.#updater, this.health, this.#outliers, ...(options.delegator === undefined ? [] : [options.delegator]), ...(options.clusterListeners ?? [])], clock);
    this.state = stateView(() => this.#dispatcher.snapshot, this.#clusters, trust);
    this.#dispatcher = new RequestDispatcher({
      logger,
      state: this.state,
      clientBehind: (options.trustedProxies ?? []).length === 0 ? undefined : clientBehind(trust),
      errorPages,
    });
    const chain = options.steps?.(steps) ?? steps;
    const names = new Set(chain.map(({ name }) => name));
    const routePolicies = joinPolicies([options.policies ?? {}, ...this.#extensions.map(({ policies: each }) => each)]);
    const served = { policies: routePolicies, timeouts: names.has("timeout"), steps: names, delegator: options.delegator };
    this.#routes = new RouteCompiler({
      errorPages,
      catalogue: transformCatalogue(options.transforms, options.transformProviders),
      table: { constraints: options.constraints },
      chainOf: chainCompiler(chain),
    });
    this.#own = isProviderConfig(options.config) ? undefined : replaceableProvider(configOf(options.config));
    this.#manager = createConfigManager({
      providers: this.#own === undefined ? [options.config].flat() as ConfigProvider[] : [this.#own],
      filters: options.filters,
      validators: [proxyValidator(this.#routes, served, policies, this.#extensions), ...(options.validators ?? [])],
      listeners: [
        configEvents(logger),
        { applyingFailed: (_configs, error) => (this.#refusal = error) },
        ...(options.listeners ?? []),
      ],
      known: { ...routePolicies, ...knownNames(policies) },
      apply: (config) => this.#apply(config),
    });
    const doors: NodeHandlerOptions = {
      handle: this.handle,
      hasRoute: (request) => this.#dispatcher.hasRoute(request),
      onFault: (error) => logger.event("error", "request-failed", { error }),
    };
    this.nodeHandler = createNodeHandler(doors);
    this.nodeUpgradeHandler = createNodeUpgradeHandler(doors);
  }

  async start(): Promise<void> {
    try {
      await this.#manager.start();
      if (this.#drivesHealth) this.health.start();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async update(config: ProxyConfig | ProxyConfigInput): Promise<void> {
    const own = this.#own;
    if (own === undefined) throw new TypeError("the configuration of this proxy comes from providers: change it there");
    const next = configOf(config);
    const update = this.#updates.then(() => this.#replace(own, next));
    this.#updates = update.catch(() => undefined);
    return update;
  }

  reload(): Promise<boolean> {
    return this.#manager.reload();
  }

  async drain(clusterId: string, destinationId: string, options?: DrainOptions): Promise<void> {
    await this.#drains.drain(...this.#find(clusterId, destinationId), options);
  }

  undrain(clusterId: string, destinationId: string): boolean {
    return this.#drains.undrain(...this.#find(clusterId, destinationId));
  }

  mirrorCounts(clusterId: string): MirrorCounts | undefined {
    const cluster = this.#clusters.get(clusterId);
    return cluster === undefined ? undefined : this.#mirrors.counts(cluster);
  }

  async close(): Promise<void> {
    this.#dispatcher.close();
    this.#shutdown.abort();
    this.#mirrors.close();
    for (const extension of this.#extensions) extension.close?.();
    await this.#manager.close();
    this.health.stop();
    this.#delegator?.close();
    this.#updater.close();
    this.#outliers.close();
    await this.#models.close();
  }

  #find(clusterId: string, destinationId: string): [ClusterState, DestinationState] {
    const cluster = this.#clusters.get(clusterId);
    const destination = cluster?.destinations.all.find(({ sortKey }) => sortKey === destinationId.toUpperCase());
    if (cluster === undefined || destination === undefined) {
      throw new TypeError(`there is no destination '${destinationId}' in a cluster '${clusterId}'`);
    }
    return [cluster, destination];
  }

  async #replace(own: ReplaceableProvider, next: ProxyConfig): Promise<void> {
    const before = own.replace(next);
    this.#refusal = undefined;
    if (await this.#manager.reload()) return;
    own.replace(before);
    throw this.#refusal ?? new Error("the proxy is closed");
  }

  #apply(config: ProxyConfig): void {
    const table = this.#routes.takeTable(config);
    let routes: ReadonlyMap<string, RouteModel>;
    const prepared: PreparedExtension[] = [];
    try {
      for (const extension of this.#extensions) prepared.push(extension.prepare(config));
      const clusters = this.#clusters.prepare(config.clusters);
      routes = this.#routes.fill(table, clusters, this.#dispatcher.snapshot.routes, config.policies);
      clusters.commit();
    } catch (error) {
      for (const each of prepared) each.discard();
      this.#models.discard();
      throw error;
    }
    this.#dispatcher.snapshot = { revisionId: config.revisionId, table, routes, endpoints: joinEndpoints(prepared) };
    for (const each of prepared) each.commit();
    this.#models.settle();
  }
}

function configOf(config: ProxyConfig | ProxyConfigInput): ProxyConfig {
  return "revisionId" in config ? config : defineConfig(config);
}

function isProviderConfig(config: ReverseProxyOptions["config"]): config is ConfigProvider | readonly ConfigProvider[] {
  return Array.isArray(config) || ("load" in config && typeof config.load === "function");
}
