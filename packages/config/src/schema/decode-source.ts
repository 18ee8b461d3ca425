/** A tree to configuration: sections are decoded one by one, each route and cluster for itself, all faults are kept. */
import { dirname, resolve } from "node:path";
import type { ClusterConfig, HttpClientConfig, SslProtocol } from "../cluster-config.ts";
import type { ConfigIssue } from "../config-issue.ts";
import { shorten } from "../config-issue.ts";
import type { ErrorPageConfig } from "../error-page-config.ts";
import { splitUrls } from "../define-config.ts";
import type { GatewayConfig, LogLevel, ServerConfig } from "../gateway-config.ts";
import { defaultServerConfig } from "../gateway-config.ts";
import type { PoliciesConfig } from "../policies-config.ts";
import type { RouteConfig } from "../route-config.ts";
import { ClusterSection } from "./cluster-schema.ts";
import type { ConfigNode, ConfigSource } from "./config-node.ts";
import { findNode, memberOf } from "./config-node.ts";
import { sectionDecoder } from "./decode-section.ts";
import { GatewayFile, LoggingSection, ReverseProxySection, ServerSection } from "./gateway-schema.ts";
import type { ShapePath } from "./read-shape.ts";
import { distinct, readShape } from "./read-shape.ts";
import { PoliciesSection } from "./policies-schema.ts";
import { RouteSection } from "./route-schema.ts";
import { shapeOf } from "./schema-shape.ts";
import { resolvePolicyFiles } from "./policy-files.ts";
import { resolveClientFiles, resolvePageFiles, resolveServerFiles } from "./server-files.ts";
import { SourceIssues } from "./source-issues.ts";
import { revisionOf } from "./source-revision.ts";
import { suggest } from "../suggest.ts";

export interface DecodedSource {
  /** With errors: what could be read. */
  readonly config: GatewayConfig;
  /** Of structure only: routes, then clusters, then the rest. */
  readonly issues: readonly ConfigIssue[];
}

export interface DecodeOptions {
  /** Unknown keys are errors. Default false: warnings. */
  readonly strict?: boolean | undefined;
}

const decoders = {
  route: sectionDecoder(RouteSection),
  cluster: sectionDecoder(ClusterSection),
  server: sectionDecoder(ServerSection),
  logging: sectionDecoder(LoggingSection),
  policies: sectionDecoder(PoliciesSection),
};
const proxyShape = shapeOf(ReverseProxySection);
const fileShape = shapeOf(GatewayFile);

/** Everything in a source, with all that is wrong in its structure. */
export function decodeSource(source: ConfigSource, options: DecodeOptions = {}): DecodedSource {
  const reader = new SourceReader(source, options.strict === true);
  reader.read();
  if (!reader.hasProxy) reader.reportMissingProxy();
  return reader.result(revisionOf(source));
}

class SourceReader {
  hasProxy = false;
  readonly #source: ConfigSource;
  readonly #routes: RouteConfig[] = [];
  readonly #clusters: ClusterConfig[] = [];
  readonly #issues: SourceIssues;
  #urls: readonly string[] = [];
  #server: ServerConfig = defaultServerConfig;
  #level: LogLevel = "Information";
  #policies: PoliciesConfig | undefined;

  constructor(source: ConfigSource, strict: boolean) {
    this.#source = source;
    this.#issues = new SourceIssues(source, strict);
  }

  result(revisionId: string): DecodedSource {
    const issues = this.#issues.all;
    const warnings = issues.filter((issue) => issue.severity === "warning");
    return {
      config: {
        urls: this.#urls,
        server: this.#server,
        logging: { level: this.#level },
        reverseProxy: { routes: this.#routes, clusters: this.#clusters, ...(this.#policies === undefined ? {} : { policies: this.#policies }), revisionId, ...(warnings.length > 0 ? { warnings } : {}) },
      },
      issues,
    };
  }

  read(): void {
    const { root } = this.#source;
    if (root.kind !== "object") {
      this.#issues.add([], "error", "root-not-object", "the file must hold an object", "write { \"ReverseProxy\": { … } }");
      return;
    }
    let server: string | undefined;
    for (const member of distinct(root, [], this.#issues.report())) {
      switch (member.key.toLowerCase()) {
        case "urls":
          this.#readUrls(member.value);
          break;
        case "server":
        case "kestrel":
          if (server !== undefined) {
            this.#issues.add([member.key], "error", "duplicate-key", `'${member.key}' and '${server}' are the same section`, "keep one of them");
          }
          server = member.key;
          this.#readServer(member.key, member.value);
          break;
        case "logging":
          this.#readLogging(member.value);
          break;
        case "policies":
          this.#readPolicies(member.key, member.value);
          break;
        case "reverseproxy":
          this.hasProxy = true;
          this.#readProxy(member.value);
          break;
        default:
          this.#checkSpelling(member.key);
      }
    }
  }

  reportMissingProxy(): void {
    const { root } = this.#source;
    if (root.kind !== "object") return;
    const isFragment = memberOf(root, "Routes") !== undefined || memberOf(root, "Clusters") !== undefined;
    const other = root.members.find(({ value }) => value.kind === "object" && memberOf(value, "Routes") !== undefined && memberOf(value, "Clusters") !== undefined);
    const hint = isFragment
      ? "put Routes and Clusters into a ReverseProxy section"
      : other === undefined
        ? "add a ReverseProxy section with Routes and Clusters"
        : `the section '${shorten(other.key)}' has Routes and Clusters: call it ReverseProxy`;
    this.#issues.add([], "warning", "section-missing", "there is no ReverseProxy section: nothing is proxied", hint);
  }

  #checkSpelling(key: string): void {
    const meant = suggest(key, ["ReverseProxy", "Server", "Kestrel"]);
    if (meant === undefined || key.length < 5) return;
    this.#issues.add([key], this.#issues.strict ? "error" : "warning", "unknown-key", `the section '${key}' is not known`, `did you mean ${meant}?`);
  }

  #readUrls(node: ConfigNode): void {
    const shape = fileShape.kind === "section" ? fileShape.fields.get("urls")?.shape : undefined;
    const plain = shape === undefined ? undefined : readShape(node, shape, ["Urls"], this.#issues.report());
    if (plain === undefined) return;
    if (!Array.isArray(plain) || !plain.every((url) => typeof url === "string")) {
      this.#issues.add(["Urls"], "error", "conversion", "Urls must be a text or a list of texts");
      return;
    }
    this.#urls = splitUrls(plain);
  }

  #readServer(key: string, node: ConfigNode): void {
    const server = this.#issues.decodeSection(decoders.server, node, [key]) as Partial<ServerConfig>;
    this.#server = resolveServerFiles({ ...defaultServerConfig, ...server }, (path) => this.#directoryOf([key, ...path]));
    for (const [name, endpoint] of Object.entries(server.endpoints ?? {})) {
      if (!endpoint.url) this.#issues.add([key, "Endpoints", name], "error", "endpoint-url-missing", `the endpoint '${shorten(name)}' has no Url`);
    }
  }

  #readLogging(node: ConfigNode): void {
    const { logLevel } = this.#issues.decodeSection(decoders.logging, node, ["Logging"]);
    const entry = Object.entries(logLevel ?? {}).find(([category]) => category.toLowerCase() === "default");
    if (entry !== undefined) this.#level = entry[1];
  }

  #readPolicies(key: string, node: ConfigNode): void {
    const section = this.#issues.decodeSection(decoders.policies, node, [key]);
    // Lists, as routes and clusters are: what stands twice in several files is found by the validation.
    this.#policies = Object.fromEntries(
      Object.entries(section).map(([kind, policies]) => [kind, Object.entries(policies ?? {}).map(([name, policy]) => ({ ...policy, name }))]),
    ) as PoliciesConfig;
    this.#policies = resolvePolicyFiles(this.#policies, (path) => this.#directoryOf([key, ...path]));
  }

  #readProxy(node: ConfigNode): void {
    if (proxyShape.kind !== "section") return;
    const report = this.#issues.report();
    if (node.kind !== "object") {
      if (node.kind !== "scalar" || node.type !== "null") this.#issues.add(["ReverseProxy"], "error", "conversion", "ReverseProxy must be an object");
      return;
    }
    const empty: ConfigNode = { kind: "object", members: [], origin: undefined };
    // Reports keys besides Routes and Clusters; their content follows below.
    const known = [...proxyShape.fields.keys()];
    const outer = { ...node, members: node.members.map((member) => (known.includes(member.key.toLowerCase()) ? { ...member, value: empty } : member)) };
    readShape(outer, proxyShape, ["ReverseProxy"], report);
    for (const [id, route] of this.#entities(node, "Routes")) this.#readRoute(id, route);
    for (const [id, cluster] of this.#entities(node, "Clusters")) this.#readCluster(id, cluster);
  }

  #entities(proxy: ConfigNode, key: "Routes" | "Clusters"): readonly (readonly [string, ConfigNode])[] {
    const section = proxy.kind === "object" ? memberOf(proxy, key)?.value : undefined;
    if (section === undefined || (section.kind === "scalar" && section.text === "")) return [];
    if (section.kind === "object") return distinct(section, ["ReverseProxy", key], this.#issues.report()).map((member) => [member.key, member.value]);
    if (section.kind === "array" && section.items.length === 0) return [];
    const what = key === "Routes" ? "route" : "cluster";
    const hint = section.kind === "array" ? `lists were used before YARP 1.0; write { "<${what} id>": { … } }` : undefined;
    this.#issues.add(["ReverseProxy", key], "error", section.kind === "array" ? `${what}-format` : "conversion", `${key} must be an object with the ids as keys`, hint);
    return [];
  }

  #readRoute(id: string, node: ConfigNode): void {
    const legacy = node.kind === "object" ? memberOf(node, "RouteId") : undefined;
    if (legacy !== undefined && !(legacy.value.kind === "scalar" && legacy.value.text === "")) {
      this.#issues.addOf("route", id, [legacy.key], "error", "route-format", `route '${shorten(id)}' has a RouteId: the key is the id`, "this is the format before YARP 1.0; write the id as key and remove RouteId");
      return;
    }
    const value = this.#issues.decodeEntity("route", id, decoders.route, node);
    const bodyFile = value.respond?.bodyFile;
    // Beside the file that names it, wherever the process was started.
    const respond = bodyFile ? { respond: { ...value.respond, bodyFile: resolve(this.#directoryOf(["ReverseProxy", "Routes", id, "Respond", "BodyFile"]), bodyFile) } } : {};
    const { errorPages: given } = value;
    const errorPages = given ? { errorPages: resolvePageFiles(given as readonly ErrorPageConfig[], (path) => this.#directoryOf(["ReverseProxy", "Routes", id, "ErrorPages", ...path])) } : {};
    // What the types require and the file lacks is told by the validation.
    this.#routes.push({ ...value, ...respond, ...errorPages, routeId: id, match: value.match ?? {} } as unknown as RouteConfig);
  }

  #readCluster(id: string, node: ConfigNode): void {
    const value = this.#issues.decodeEntity("cluster", id, decoders.cluster, node);
    const { httpClient, ...rest } = value;
    const sslProtocols = httpClient?.sslProtocols?.filter((protocol): protocol is SslProtocol => protocol !== "None");
    const prefix = ["ReverseProxy", "Clusters", id, "HttpClient"];
    const settings = { ...httpClient, sslProtocols: sslProtocols?.length === 0 ? undefined : sslProtocols } as HttpClientConfig;
    const client = httpClient === undefined ? {} : { httpClient: resolveClientFiles(settings, (path) => this.#directoryOf([...prefix, ...path])) };
    this.#clusters.push({ ...rest, ...client, clusterId: id } as unknown as ClusterConfig);
  }

  /** Of the file that has the value at `path`. */
  #directoryOf(path: ShapePath): string {
    const { origin } = findNode(this.#source.root, path);
    return dirname(typeof origin === "object" ? origin.source.name : this.#source.name);
  }
}
