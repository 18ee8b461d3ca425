/** A tree to configuration: sections are decoded one by one, each route and cluster for itself, all faults are kept. */
import { createHash } from "node:crypto";
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
import type { SectionDecoder } from "./decode-section.ts";
import { sectionDecoder } from "./decode-section.ts";
import { GatewayFile, LoggingSection, ReverseProxySection, ServerSection } from "./gateway-schema.ts";
import type { EntityKind } from "./issue-position.ts";
import { positionOf } from "./issue-position.ts";
import type { Report, ShapePath } from "./read-shape.ts";
import { distinct, readShape } from "./read-shape.ts";
import { PoliciesSection } from "./policies-schema.ts";
import { RouteSection } from "./route-schema.ts";
import { shapeOf } from "./schema-shape.ts";
import { resolvePolicyFiles } from "./policy-files.ts";
import { resolveClientFiles, resolvePageFiles, resolveServerFiles } from "./server-files.ts";
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

/** Names the content: equal sources have equal revisions, whatever their blanks and comments. */
function revisionOf({ root }: ConfigSource): string {
  const parts: string[] = [];
  collectText(root, parts);
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
}

/** Lengths stand before texts, so that no text can look like two. */
function collectText(node: ConfigNode, parts: string[]): void {
  if (node.kind === "scalar") parts.push(`${node.type} ${node.text.length}`, node.text);
  else if (node.kind === "array") {
    parts.push(`[${node.items.length}`);
    for (const item of node.items) collectText(item, parts);
  } else {
    parts.push(`{${node.members.length}`);
    for (const member of node.members) {
      parts.push(String(member.key.length), member.key);
      collectText(member.value, parts);
    }
  }
}

class SourceReader {
  hasProxy = false;
  readonly #source: ConfigSource;
  readonly #strict: boolean;
  readonly #routes: RouteConfig[] = [];
  readonly #clusters: ClusterConfig[] = [];
  readonly #issues = { route: [] as ConfigIssue[], cluster: [] as ConfigIssue[], other: [] as ConfigIssue[] };
  #urls: readonly string[] = [];
  #server: ServerConfig = defaultServerConfig;
  #level: LogLevel = "Information";
  #policies: PoliciesConfig | undefined;

  constructor(source: ConfigSource, strict: boolean) {
    this.#source = source;
    this.#strict = strict;
  }

  result(revisionId: string): DecodedSource {
    const issues = [...this.#issues.route, ...this.#issues.cluster, ...this.#issues.other];
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
      this.#other([], "error", "root-not-object", "the file must hold an object", "write { \"ReverseProxy\": { … } }");
      return;
    }
    let server: string | undefined;
    for (const member of distinct(root, [], this.#report())) {
      switch (member.key.toLowerCase()) {
        case "urls":
          this.#readUrls(member.value);
          break;
        case "server":
        case "kestrel":
          if (server !== undefined) {
            this.#other([member.key], "error", "duplicate-key", `'${member.key}' and '${server}' are the same section`, "keep one of them");
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
    this.#other([], "warning", "section-missing", "there is no ReverseProxy section: nothing is proxied", hint);
  }

  #checkSpelling(key: string): void {
    const meant = suggest(key, ["ReverseProxy", "Server", "Kestrel"]);
    if (meant === undefined || key.length < 5) return;
    this.#other([key], this.#strict ? "error" : "warning", "unknown-key", `the section '${key}' is not known`, `did you mean ${meant}?`);
  }

  #readUrls(node: ConfigNode): void {
    const shape = fileShape.kind === "section" ? fileShape.fields.get("urls")?.shape : undefined;
    const plain = shape === undefined ? undefined : readShape(node, shape, ["Urls"], this.#report());
    if (plain === undefined) return;
    if (!Array.isArray(plain) || !plain.every((url) => typeof url === "string")) {
      this.#other(["Urls"], "error", "conversion", "Urls must be a text or a list of texts");
      return;
    }
    this.#urls = splitUrls(plain);
  }

  #readServer(key: string, node: ConfigNode): void {
    const server = this.#section(decoders.server, node, [key]) as Partial<ServerConfig>;
    this.#server = resolveServerFiles({ ...defaultServerConfig, ...server }, (path) => this.#directoryOf([key, ...path]));
    for (const [name, endpoint] of Object.entries(server.endpoints ?? {})) {
      if (!endpoint.url) this.#other([key, "Endpoints", name], "error", "endpoint-url-missing", `the endpoint '${shorten(name)}' has no Url`);
    }
  }

  #readLogging(node: ConfigNode): void {
    const { logLevel } = this.#section(decoders.logging, node, ["Logging"]);
    const entry = Object.entries(logLevel ?? {}).find(([category]) => category.toLowerCase() === "default");
    if (entry !== undefined) this.#level = entry[1];
  }

  #readPolicies(key: string, node: ConfigNode): void {
    const section = this.#section(decoders.policies, node, [key]);
    // Lists, as routes and clusters are: what stands twice in several files is found by the validation.
    this.#policies = Object.fromEntries(
      Object.entries(section).map(([kind, policies]) => [kind, Object.entries(policies ?? {}).map(([name, policy]) => ({ ...policy, name }))]),
    ) as PoliciesConfig;
    this.#policies = resolvePolicyFiles(this.#policies, (path) => this.#directoryOf([key, ...path]));
  }

  #readProxy(node: ConfigNode): void {
    if (proxyShape.kind !== "section") return;
    const report = this.#report();
    if (node.kind !== "object") {
      if (node.kind !== "scalar" || node.type !== "null") this.#other(["ReverseProxy"], "error", "conversion", "ReverseProxy must be an object");
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
    if (section.kind === "object") return distinct(section, ["ReverseProxy", key], this.#report()).map((member) => [member.key, member.value]);
    if (section.kind === "array" && section.items.length === 0) return [];
    const what = key === "Routes" ? "route" : "cluster";
    const hint = section.kind === "array" ? `lists were used before YARP 1.0; write { "<${what} id>": { … } }` : undefined;
    this.#other(["ReverseProxy", key], "error", section.kind === "array" ? `${what}-format` : "conversion", `${key} must be an object with the ids as keys`, hint);
    return [];
  }

  #readRoute(id: string, node: ConfigNode): void {
    const legacy = node.kind === "object" ? memberOf(node, "RouteId") : undefined;
    if (legacy !== undefined && !(legacy.value.kind === "scalar" && legacy.value.text === "")) {
      this.#entityIssue("route", id, [legacy.key], "error", "route-format", `route '${shorten(id)}' has a RouteId: the key is the id`, "this is the format before YARP 1.0; write the id as key and remove RouteId");
      return;
    }
    const value = this.#entity("route", id, decoders.route, node);
    const bodyFile = value.respond?.bodyFile;
    // Beside the file that names it, wherever the process was started.
    const respond = bodyFile ? { respond: { ...value.respond, bodyFile: resolve(this.#directoryOf(["ReverseProxy", "Routes", id, "Respond", "BodyFile"]), bodyFile) } } : {};
    const { errorPages: given } = value;
    const errorPages = given ? { errorPages: resolvePageFiles(given as readonly ErrorPageConfig[], (path) => this.#directoryOf(["ReverseProxy", "Routes", id, "ErrorPages", ...path])) } : {};
    // What the types require and the file lacks is told by the validation.
    this.#routes.push({ ...value, ...respond, ...errorPages, routeId: id, match: value.match ?? {} } as unknown as RouteConfig);
  }

  #readCluster(id: string, node: ConfigNode): void {
    const value = this.#entity("cluster", id, decoders.cluster, node);
    const { httpClient, ...rest } = value;
    const sslProtocols = httpClient?.sslProtocols?.filter((protocol): protocol is SslProtocol => protocol !== "None");
    const prefix = ["ReverseProxy", "Clusters", id, "HttpClient"];
    const settings = { ...httpClient, sslProtocols: sslProtocols?.length === 0 ? undefined : sslProtocols } as HttpClientConfig;
    const client = httpClient === undefined ? {} : { httpClient: resolveClientFiles(settings, (path) => this.#directoryOf([...prefix, ...path])) };
    this.#clusters.push({ ...rest, ...client, clusterId: id } as unknown as ClusterConfig);
  }

  #entity<T>(kind: EntityKind, id: string, decoder: SectionDecoder<T>, node: ConfigNode): Partial<T> {
    const prefix = ["ReverseProxy", kind === "route" ? "Routes" : "Clusters", id];
    const { value, issues } = decoder.decode(node, prefix, this.#report({ kind, id }));
    for (const issue of issues) {
      const name = issue.path.length === 0 ? "it" : issue.path.join(".");
      this.#entityIssue(kind, id, issue.path, "error", "conversion", `${name} ${issue.message} (${kind} '${shorten(id)}')`, issue.hint);
    }
    return value;
  }

  #section<T>(decoder: SectionDecoder<T>, node: ConfigNode, prefix: ShapePath): Partial<T> {
    const { value, issues } = decoder.decode(node, prefix, this.#report());
    for (const issue of issues) {
      const path = [...prefix, ...issue.path];
      this.#other(path, "error", "conversion", `${path.join(".")} ${issue.message}`, issue.hint);
    }
    return value;
  }

  /** Of the file that has the value at `path`. */
  #directoryOf(path: ShapePath): string {
    const { origin } = findNode(this.#source.root, path);
    return dirname(typeof origin === "object" ? origin.source.name : this.#source.name);
  }

  #report(entity?: { readonly kind: EntityKind; readonly id: string }): Report {
    return ({ code, path, key, message, hint }) => {
      const severity = code === "unknown-key" && !this.#strict ? "warning" : "error";
      const prefixLength = entity === undefined ? 0 : 3;
      const owner = entity === undefined ? "" : ` (${entity.kind} '${shorten(entity.id)}')`;
      this.#issues[entity?.kind ?? "other"].push({
        code,
        severity,
        message: shorten(message) + owner,
        hint,
        entity,
        path: path.slice(prefixLength),
        ...positionOf(this.#source, path, key.keyOrigin),
        // Not the value of a key that nobody knows: it may be a secret.
        value: shorten(key.key),
      });
    };
  }

  #entityIssue(kind: EntityKind, id: string, path: ShapePath, severity: ConfigIssue["severity"], code: string, message: string, hint?: string): void {
    const whole = ["ReverseProxy", kind === "route" ? "Routes" : "Clusters", id, ...path];
    this.#issues[kind].push({ code, severity, message, hint, entity: { kind, id }, path, ...positionOf(this.#source, whole) });
  }

  #other(path: ShapePath, severity: ConfigIssue["severity"], code: string, message: string, hint?: string): void {
    this.#issues.other.push({ code, severity, message, hint, path, ...positionOf(this.#source, path) });
  }
}
