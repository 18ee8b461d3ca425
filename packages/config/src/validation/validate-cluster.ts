import { isIP } from "node:net";
import type { ClusterConfig, DestinationConfig } from "../cluster-config.ts";
import type { ConfigIssue } from "../config-issue.ts";
import { longestTimer } from "../duration.ts";
import { addressFault, hostHeaderFault, serverNameFault, nameServerFault, withoutCredentials } from "./destination-address.ts";
import { IssueCollector, quoted } from "./issue-collector.ts";
import type { IssuePath } from "./issue-collector.ts";
import { checkRetry, checkRetryBudget } from "./validate-retry.ts";
import type { PolicyKind, PolicyNames } from "./known-policies.ts";
import { checkCircuitBreaker, checkOutlierDetection } from "./validate-load.ts";

/** .NET's names of the encodings that make sense for header bytes. */
const headerEncodings = new Set(["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1"]);
const versions = ["1.0", "1.1", "2", "2.0", "3", "3.0"];

/** All faults of one cluster. */
export function validateCluster(cluster: ClusterConfig, policies: PolicyNames): readonly ConfigIssue[] {
  const found = new IssueCollector("cluster", cluster.clusterId);
  if (!cluster.clusterId) found.error("missing-cluster-id", ["ClusterId"], "a cluster has no id");
  checkPolicy(policies, "loadBalancing", "load-balancing-policy-unknown", ["LoadBalancingPolicy"], cluster.loadBalancingPolicy, found);
  checkAffinity(cluster, policies, found);
  checkHealth(cluster, policies, found);
  checkConsistentHash(cluster, found);
  checkPositive("slow-start", ["SlowStart"], cluster.slowStart, found);
  checkResolver(cluster, found);
  checkRetry(cluster.retry, found);
  checkRetryBudget(cluster.retryBudget, found);
  checkOutlierDetection(cluster, found);
  checkCircuitBreaker(cluster, found);
  checkHttpClient(cluster, found);
  checkHttpRequest(cluster, found);
  checkDestinations(cluster, found);
  return found.issues;
}

function checkPolicy(
  policies: PolicyNames,
  kind: PolicyKind,
  code: string,
  path: IssuePath,
  name: string | null | undefined,
  found: IssueCollector,
): void {
  if (!name || policies.isKnown(kind, name)) return;
  found.error(code, path, `${path.at(-1)} '${quoted(name)}' is not known`, { value: name, hint: `known are ${policies.choices(kind).join(", ")}` });
}

/** A duration that must be above 0 where it is given and fit a timer. */
function checkPositive(code: string, path: IssuePath, value: number | null | undefined, found: IssueCollector, isTimer = true): void {
  if (value === undefined || value === null) return;
  if (!(value > 0)) found.error(code, path, `${path.join(".")} must be above 0`, { value });
  else if (isTimer) checkTimer(path, value, found);
}

function checkTimer(path: IssuePath, value: number | null | undefined, found: IssueCollector): void {
  if (value !== undefined && value !== null && value > longestTimer) {
    found.error("duration-too-long", path, `${path.join(".")} is longer than a timer can wait`, { value, hint: "at most 24.20:31:23" });
  }
}

function checkAffinity(cluster: ClusterConfig, policies: PolicyNames, found: IssueCollector): void {
  const affinity = cluster.sessionAffinity;
  if (affinity?.enabled !== true) return;
  checkPolicy(policies, "affinity", "affinity-policy-unknown", ["SessionAffinity", "Policy"], affinity.policy, found);
  checkPolicy(policies, "affinityFailure", "affinity-failure-policy-unknown", ["SessionAffinity", "FailurePolicy"], affinity.failurePolicy, found);
  if (!affinity.affinityKeyName) {
    found.error("affinity-key-name-missing", ["SessionAffinity", "AffinityKeyName"], "session affinity needs an AffinityKeyName", {
      hint: "the name of the cookie or header that holds the key",
    });
  }
  const cookie = affinity.cookie;
  checkPositive("affinity-cookie-expiration", ["SessionAffinity", "Cookie", "Expiration"], cookie?.expiration, found, false);
  checkPositive("affinity-cookie-max-age", ["SessionAffinity", "Cookie", "MaxAge"], cookie?.maxAge, found, false);
}

function checkConsistentHash({ consistentHash }: ClusterConfig, found: IssueCollector): void {
  if (consistentHash === undefined || consistentHash === null) return;
  const { on = "ClientAddress", name, maxLoadPercent } = consistentHash;
  if (on !== "ClientAddress" && !name) {
    found.error("consistent-hash-name", ["ConsistentHash", "Name"], `ConsistentHash on ${on} needs a Name`, { hint: `the name of the ${on.toLowerCase()}` });
  }
  if (maxLoadPercent !== undefined && maxLoadPercent !== null && maxLoadPercent !== 0 && !(maxLoadPercent > 100)) {
    found.error("consistent-hash-load", ["ConsistentHash", "MaxLoadPercent"], "MaxLoadPercent must be above 100, or 0 for no bound", { value: maxLoadPercent });
  }
}

function checkResolver({ destinationResolver: resolver }: ClusterConfig, found: IssueCollector): void {
  if (resolver === undefined || resolver === null) return;
  checkPositive("resolver-refresh-period", ["DestinationResolver", "RefreshPeriod"], resolver.refreshPeriod, found);
  checkPositive("resolver-refresh-period", ["DestinationResolver", "MinimumRefreshPeriod"], resolver.minimumRefreshPeriod, found);
  for (const [index, server] of (resolver.nameServers ?? []).entries()) {
    const fault = nameServerFault(server);
    if (fault === undefined) continue;
    found.error("resolver-name-server", ["DestinationResolver", "NameServers", index], `the name server '${quoted(server)}' is wrong: ${fault}`, {
      value: server,
      hint: "write 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53",
    });
  }
}

function checkHealth(cluster: ClusterConfig, policies: PolicyNames, found: IssueCollector): void {
  const health = cluster.healthCheck;
  checkPolicy(
    policies,
    "availableDestinations",
    "available-destinations-policy-unknown",
    ["HealthCheck", "AvailableDestinationsPolicy"],
    health?.availableDestinationsPolicy,
    found,
  );
  const active = health?.active;
  if (active?.enabled === true) {
    checkPolicy(policies, "activeHealth", "active-policy-unknown", ["HealthCheck", "Active", "Policy"], active.policy, found);
    checkPositive("active-interval", ["HealthCheck", "Active", "Interval"], active.interval, found);
    checkPositive("active-timeout", ["HealthCheck", "Active", "Timeout"], active.timeout, found);
  }
  const passive = health?.passive;
  if (passive?.enabled === true) {
    checkPolicy(policies, "passiveHealth", "passive-policy-unknown", ["HealthCheck", "Passive", "Policy"], passive.policy, found);
    checkPositive("passive-reactivation", ["HealthCheck", "Passive", "ReactivationPeriod"], passive.reactivationPeriod, found);
  }
}

function checkHttpClient(cluster: ClusterConfig, found: IssueCollector): void {
  const client = cluster.httpClient;
  if (client === undefined || client === null) return;
  const { maxConnectionsPerServer } = client;
  if (maxConnectionsPerServer !== undefined && maxConnectionsPerServer !== null && !(maxConnectionsPerServer > 0)) {
    found.error("max-connections", ["HttpClient", "MaxConnectionsPerServer"], "MaxConnectionsPerServer must be above 0", { value: maxConnectionsPerServer });
  }
  checkEncoding("request-header-encoding", "RequestHeaderEncoding", client.requestHeaderEncoding, found);
  checkEncoding("response-header-encoding", "ResponseHeaderEncoding", client.responseHeaderEncoding, found);
  checkPositive("connect-timeout", ["HttpClient", "ConnectTimeout"], client.connectTimeout, found);
  checkPositive("queue-timeout", ["HttpClient", "QueueTimeout"], client.queueTimeout, found);
  checkPositive("idle-timeout", ["HttpClient", "IdleTimeout"], client.idleTimeout, found);
  checkPositive("connection-lifetime", ["HttpClient", "ConnectionLifetime"], client.connectionLifetime, found);
  const { maxQueuedRequests, prewarm } = client;
  if (maxQueuedRequests !== undefined && maxQueuedRequests !== null && !(Number.isSafeInteger(maxQueuedRequests) && maxQueuedRequests >= 0)) {
    found.error("max-queued-requests", ["HttpClient", "MaxQueuedRequests"], "MaxQueuedRequests must be a whole number of at least 0", { value: maxQueuedRequests });
  }
  if (prewarm !== undefined && prewarm !== null && !(Number.isSafeInteger(prewarm) && prewarm >= 0 && prewarm <= 1000)) {
    found.error("prewarm", ["HttpClient", "Prewarm"], "Prewarm must be a whole number from 0 to 1000", { value: prewarm });
  }
  if (client.localAddress && isIP(client.localAddress) === 0) {
    found.error("local-address", ["HttpClient", "LocalAddress"], `LocalAddress '${quoted(client.localAddress)}' is no IP address`, {
      hint: "an address of this machine, IPv4 or IPv6 without brackets",
    });
  }
  const { sslProtocols, clientCertificate, serverName } = client;
  if (sslProtocols && sslProtocols.length > 0 && sslProtocols.every((name) => name === "Ssl2" || name === "Ssl3")) {
    found.error("ssl-protocols", ["HttpClient", "SslProtocols"], "SslProtocols names no version that can be spoken", { hint: "use Tls12 and Tls13" });
  }
  if (client.dangerousAcceptAnyServerCertificate === true) {
    found.warn("certificates-not-verified", ["HttpClient", "DangerousAcceptAnyServerCertificate"], "certificates of destinations are not verified: whoever is on the way can read and change everything", {
      hint: "name who vouches for them in CertificateAuthorities",
    });
  }
  if (clientCertificate && !clientCertificate.path) {
    found.error("client-certificate-missing", ["HttpClient", "ClientCertificate"], "ClientCertificate has no Path", { hint: "the file of the certificate, PEM or PKCS #12" });
  }
  if (serverName) checkServerName(["HttpClient", "ServerName"], serverName, found);
  const proxy = client.webProxy?.address;
  if (proxy) {
    const fault = webProxyFault(proxy);
    if (fault !== undefined) {
      found.error("web-proxy-address", ["HttpClient", "WebProxy", "Address"], `the web proxy's address '${quoted(withoutCredentials(proxy))}' is wrong: ${fault}`);
    }
  }
}

function webProxyFault(address: string): string | undefined {
  const fault = addressFault(address.replace(/^([^/]*:\/\/)[^/?#]*@/, "$1"));
  return fault ?? (/^https:/i.test(address) ? "proxies are spoken to in cleartext; use http://" : undefined);
}

function checkServerName(path: IssuePath, name: string, found: IssueCollector): void {
  const fault = serverNameFault(name);
  if (fault !== undefined) found.error("server-name-invalid", path, `the ServerName '${quoted(name)}' is wrong: ${fault}`, { value: name });
}

function checkEncoding(code: string, member: string, name: string | null | undefined, found: IssueCollector): void {
  if (!name || headerEncodings.has(name.toLowerCase())) return;
  found.error(code, ["HttpClient", member], `${member} '${quoted(name)}' is no encoding for headers`, { value: name, hint: "use utf-8, us-ascii or iso-8859-1" });
}

function checkHttpRequest(cluster: ClusterConfig, found: IssueCollector): void {
  const request = cluster.httpRequest;
  if (request === undefined || request === null) return;
  const path = ["HttpRequest", "Version"];
  // A file or untyped code can hold any version.
  const version = request.version as string | null | undefined;
  if (version && !versions.includes(version)) {
    found.error("request-version-unsupported", path, `HTTP version '${quoted(version)}' is not supported`, { value: version, hint: "use 1.0, 1.1, 2 or 3" });
  } else if (version === "1.0") {
    found.warn("request-version-obsolete", path, "HTTP version 1.0 opens a connection for each request", { hint: "use 1.1 or 2" });
  }
  checkTimer(["HttpRequest", "ActivityTimeout"], request.activityTimeout, found);
}

function checkDestinations(cluster: ClusterConfig, found: IssueCollector): void {
  const seen = new Set<string>();
  for (const [id, destination] of Object.entries(cluster.destinations ?? {})) {
    const path = ["Destinations", id];
    if (id === "") found.error("missing-destination-id", path, "a destination has no id");
    const key = id.toLowerCase();
    if (seen.has(key)) found.error("destination-duplicate", path, `destination '${quoted(id)}' stands twice; ids ignore case`);
    seen.add(key);
    checkDestination(destination, path, `destination '${quoted(id)}'`, found);
  }
  const destinations = Object.values(cluster.destinations ?? {});
  if (destinations.length > 0 && destinations.every((each) => each?.enabled === false) && cluster.enabled !== false) {
    found.warn("destinations-disabled", ["Destinations"], "no destination is enabled: requests get 503", { hint: "enable one, or disable the cluster" });
  }
}

function checkDestination(destination: DestinationConfig | null, path: IssuePath, label: string, found: IssueCollector): void {
  if (!destination?.address) {
    found.error("destination-address-missing", path, `${label} has no Address`, { hint: "write Address: \"http://host:port/\"" });
    return;
  }
  checkAddress("destination-address-invalid", [...path, "Address"], label, destination.address, found);
  if (destination.health) checkAddress("destination-health-invalid", [...path, "Health"], label, destination.health, found);
  if (destination.host) {
    const fault = hostHeaderFault(destination.host);
    if (fault !== undefined) {
      found.error("destination-host-invalid", [...path, "Host"], `the Host '${quoted(destination.host)}' of ${label} is wrong: ${fault}`, { value: destination.host });
    }
  }
  if (destination.serverName) checkServerName([...path, "ServerName"], destination.serverName, found);
  const { weight, priority } = destination;
  if (weight !== undefined && weight !== null && !(weight >= 0 && weight <= 1000)) {
    found.error("destination-weight", [...path, "Weight"], `the Weight of ${label} must be from 0 to 1000`, { value: weight });
  }
  if (priority !== undefined && priority !== null && !Number.isSafeInteger(priority)) {
    found.error("destination-priority", [...path, "Priority"], `the Priority of ${label} must be a whole number`, { value: priority });
  }
}

function checkAddress(code: string, path: IssuePath, label: string, address: string, found: IssueCollector): void {
  const fault = addressFault(address);
  if (fault === undefined) return;
  const shown = withoutCredentials(address);
  found.error(code, path, `the ${path.at(-1)} '${quoted(shown)}' of ${label} is wrong: ${fault}`, { value: shown, hint: "write http://host:port/base or https://host:port/base" });
}
