import type { CompiledRoute } from "./compiled-route.ts";
import type { HostIndex } from "./host-index.ts";
import { foldCase } from "./path-text.ts";
import type { TemplateSegment } from "./route-template.ts";

/** The routes that end at one place of the trie, in matching order. */
export interface RouteLeaf {
  /** Routes for every host. */
  readonly everyHost: CompiledRoute[];
  /** Routes by the number of a host pattern. */
  byHost: Map<number, CompiledRoute[]> | undefined;
}

/** One segment deep in the paths of all routes. */
export interface TrieNode {
  /** By folded text. */
  literals: Map<string, TrieNode> | undefined;
  /** Any one segment that is not empty: parameters, and segments of several parts. */
  parameter: TrieNode | undefined;
  /** Routes whose path can end here. */
  leaf: RouteLeaf | undefined;
  /** Routes that take whatever follows, also nothing. */
  catchAll: RouteLeaf | undefined;
}

export function newNode(): TrieNode {
  return { literals: undefined, parameter: undefined, leaf: undefined, catchAll: undefined };
}

/** Adds `route` below `root`. Routes must come in matching order, so that leaves are sorted. */
export function addToTrie(root: TrieNode, route: CompiledRoute, hosts: HostIndex): void {
  const { segments } = route.template;
  const required = requiredSegments(segments);
  const numbers = route.hosts.map((pattern) => hosts.add(pattern));
  let node = root;
  for (const [depth, segment] of segments.entries()) {
    const [part] = segment.parts;
    const catchAll = part?.kind === "parameter" && part.catchAll;
    if (catchAll) {
      node.catchAll = addToLeaf(node.catchAll, route, numbers);
      return;
    }
    if (depth >= required) node.leaf = addToLeaf(node.leaf, route, numbers);
    node = childFor(node, segment);
  }
  node.leaf = addToLeaf(node.leaf, route, numbers);
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

function childFor(node: TrieNode, { parts }: TemplateSegment): TrieNode {
  const [part] = parts;
  if (parts.length > 1 || part?.kind !== "literal") return (node.parameter ??= newNode());
  node.literals ??= new Map();
  const key = foldCase(part.text);
  let child = node.literals.get(key);
  if (child === undefined) {
    child = newNode();
    node.literals.set(key, child);
  }
  return child;
}

function addToLeaf(leaf: RouteLeaf | undefined, route: CompiledRoute, hosts: readonly number[]): RouteLeaf {
  const target = leaf ?? { everyHost: [], byHost: undefined };
  if (hosts.length === 0) target.everyHost.push(route);
  for (const host of hosts) {
    target.byHost ??= new Map();
    const known = target.byHost.get(host);
    if (known === undefined) target.byHost.set(host, [route]);
    else known.push(route);
  }
  return target;
}
