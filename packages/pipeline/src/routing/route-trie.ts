import type { CompiledRoute } from "./compiled-route.ts";
import type { HostIndex } from "./host-index.ts";
import { foldCase } from "./path-text.ts";
import { prepareList } from "./route-list.ts";
import type { RouteList } from "./route-list.ts";
import type { TemplateSegment } from "./route-template.ts";

/** The routes that end at one place of the trie. */
export interface RouteLeaf {
  /** Routes for every host. */
  readonly everyHost: RouteList | undefined;
  /** Routes by the number of a host pattern. */
  readonly byHost: ReadonlyMap<number, RouteList> | undefined;
}

/** One segment deep in the paths of all routes. */
export interface TrieNode {
  /** By folded text. */
  readonly literals: ReadonlyMap<string, TrieNode> | undefined;
  /** Any one segment that is not empty: parameters, and segments of several parts. */
  readonly parameter: TrieNode | undefined;
  /** Routes whose path can end here. */
  readonly leaf: RouteLeaf | undefined;
  /** Routes that take whatever follows, also nothing. */
  readonly catchAll: RouteLeaf | undefined;
}

/** A leaf that still grows: routes by host number, -1 for every host. */
type GrowingLeaf = Map<number, CompiledRoute[]>;

interface GrowingNode {
  readonly literals: Map<string, GrowingNode>;
  parameter: GrowingNode | undefined;
  readonly leaf: GrowingLeaf;
  readonly catchAll: GrowingLeaf;
}

/** Builds the trie of `routes`, which must be in matching order; their host patterns are added to `hosts`. */
export function buildTrie(routes: readonly CompiledRoute[], hosts: HostIndex): TrieNode {
  const root = newNode();
  for (const route of routes) addRoute(root, route, hosts);
  return finish(root);
}

function newNode(): GrowingNode {
  return {
    literals: new Map(),
    parameter: undefined,
    leaf: new Map(),
    catchAll: new Map(),
  };
}

function finish(growing: GrowingNode): TrieNode {
  const { literals, parameter, leaf, catchAll } = growing;
  return {
    literals: literals.size === 0 ? undefined : new Map([...literals].map(([key, child]) => [key, finish(child)])),
    parameter: parameter === undefined ? undefined : finish(parameter),
    leaf: finishLeaf(leaf),
    catchAll: finishLeaf(catchAll),
  };
}

function finishLeaf(leaf: GrowingLeaf): RouteLeaf | undefined {
  if (leaf.size === 0) return undefined;
  const everyHost = leaf.get(-1);
  const byHost = [...leaf].filter(([host]) => host >= 0).map(([host, routes]) => [host, prepareList(routes)] as const);
  return {
    everyHost: everyHost === undefined ? undefined : prepareList(everyHost),
    byHost: byHost.length === 0 ? undefined : new Map(byHost),
  };
}

function addRoute(root: GrowingNode, route: CompiledRoute, hosts: HostIndex): void {
  const { segments } = route.template;
  const required = requiredSegments(segments);
  const numbers = route.hosts.map((pattern) => hosts.add(pattern));
  let node = root;
  for (const [depth, segment] of segments.entries()) {
    const [part] = segment.parts;
    const catchAll = part?.kind === "parameter" && part.catchAll;
    if (catchAll) {
      addToLeaf(node.catchAll, route, numbers);
      return;
    }
    if (depth >= required) addToLeaf(node.leaf, route, numbers);
    node = childFor(node, segment);
  }
  addToLeaf(node.leaf, route, numbers);
}

/** How many segments a path must have at least. */
function requiredSegments(segments: readonly TemplateSegment[]): number {
  for (let count = segments.length; count > 0; count--) {
    const parts = (segments[count - 1] as TemplateSegment).parts;
    const [part] = parts;
    const mayMiss = parts.length === 1 && part?.kind === "parameter" && (part.optional || part.catchAll || part.default !== undefined);
    if (!mayMiss) return count;
  }
  return 0;
}

function childFor(node: GrowingNode, { parts }: TemplateSegment): GrowingNode {
  const [part] = parts;
  if (parts.length > 1 || part?.kind !== "literal") return (node.parameter ??= newNode());
  const key = foldCase(part.text);
  let child = node.literals.get(key);
  if (child === undefined) {
    child = newNode();
    node.literals.set(key, child);
  }
  return child;
}

function addToLeaf(leaf: GrowingLeaf, route: CompiledRoute, hosts: readonly number[]): void {
  for (const host of hosts.length === 0 ? [-1] : hosts) {
    const known = leaf.get(host);
    if (known === undefined) leaf.set(host, [route]);
    else known.push(route);
  }
}
