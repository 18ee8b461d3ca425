/**
 * The packages as somebody gets them: packed, unpacked in a project outside of this workspace, beside what their package.json asks for and nothing
 * else. The examples of the READMEs are compiled and run there.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocksOf } from "../../markdown.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const run = promisify(execFile);
const work = realpathSync(mkdtempSync(join(tmpdir(), "packed-")));
afterAll(() => rmSync(work, { recursive: true, force: true }));

interface Manifest {
  readonly name: string;
  readonly license?: string;
  readonly sideEffects?: boolean;
  readonly engines?: { readonly node: string };
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Third-party packages that each draws in, by itself and by those of ours that it depends on. */
const drawn: Readonly<Record<string, readonly string[]>> = {
  http: [],
  forwarder: [],
  config: ["jsonc-parser", "yaml"],
  cluster: ["jsonc-parser", "xxhash-wasm", "yaml"],
  pipeline: ["jsonc-parser", "re2js", "xxhash-wasm", "yaml"],
  httpsys: ["koffi"],
  delegation: ["jsonc-parser", "koffi", "xxhash-wasm", "yaml"],
  edge: [
    "@fastify/send", "@peculiar/x509", "@xmldom/xmldom", "http-cache-semantics", "jose", "jsonc-parser", "lru-cache", "negotiator", "openid-client",
    "re2js", "reflect-metadata", "xml-crypto", "xxhash-wasm", "yaml",
  ],
};
const names = Object.keys(drawn);
/** Who wants more than the main entry installs these too. */
const peers: Readonly<Record<string, readonly string[]>> = { forwarder: ["undici"], config: ["effect"] };

const manifests = new Map<string, Manifest>();

beforeAll(async () => {
  const pnpm = (...args: string[]) => run("npx", ["--yes", "pnpm@12.21.0", ...args], { cwd: root, maxBuffer: 2 ** 26 });
  await pnpm("build");
  await pnpm("--recursive", "--filter", "./packages/*", "pack", "--pack-destination", join(work, "packed"));
  for (const name of names) {
    const target = join(work, "unpacked", name);
    mkdirSync(target, { recursive: true });
    await run("tar", ["-xzf", join(work, "packed", `proxy-${name}-${versionOf(name)}.tgz`), "-C", target, "--strip-components=1"]);
    manifests.set(name, JSON.parse(readFileSync(join(target, "package.json"), "utf8")) as Manifest);
  }
});

function versionOf(name: string): string {
  return (JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")) as { version: string }).version;
}

function manifestOf(name: string): Manifest {
  const manifest = manifests.get(name);
  if (manifest === undefined) throw new Error(`${name} was not packed`);
  return manifest;
}

/** What an installation of `name` brings: ours by short name, and others with the one of ours that asks for each. */
function installation(name: string, into = { ours: new Set<string>(), others: new Map<string, string>() }) {
  into.ours.add(name);
  const { dependencies, optionalDependencies } = manifestOf(name);
  for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const own = /^@proxy\/(.*)/.exec(dependency)?.[1];
    if (own === undefined) into.others.set(dependency, name);
    else if (!into.ours.has(own)) installation(own, into);
  }
  return into;
}

/** A new project that has installed `name`, and the peers in `asked`. */
function projectWith(name: string, label: string, asked: readonly string[] = []): string {
  const project = join(work, "projects", `${name}-${label}`);
  const modules = join(project, "node_modules");
  const { ours, others } = installation(name);
  for (const own of ours) cpSync(join(work, "unpacked", own), join(modules, "@proxy", own), { recursive: true });
  const link = (dependency: string, from: string): void => {
    mkdirSync(dirname(join(modules, dependency)), { recursive: true });
    symlinkSync(realpathSync(join(from, "node_modules", dependency)), join(modules, dependency));
  };
  for (const [dependency, own] of others) link(dependency, join(root, "packages", own));
  for (const peer of asked) link(peer, join(root, "packages", name));
  link("@types/node", root);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "project", private: true, type: "module" }));
  return project;
}

test("every package is known here", () => {
  expect(names.toSorted()).toEqual(readdirSync(join(root, "packages")).toSorted());
});

describe.each(names)("%s", (name) => {
  test("draws in what it needs and nothing else", () => {
    expect([...installation(name).others.keys()].toSorted()).toEqual(drawn[name]);
    expect(Object.keys(manifestOf(name).peerDependencies ?? {})).toEqual(peers[name] ?? []);
  });

  test("says its licence, Node, and where its files are", () => {
    const manifest = manifestOf(name);
    expect(manifest).toMatchObject({ license: "MIT", sideEffects: false, engines: { node: ">=24.11" } });
    const unpacked = join(work, "unpacked", name);
    for (const file of ["LICENSE", "README.md"]) expect(existsSync(join(unpacked, file)), file).toBe(true);
    for (const entry of Object.values(manifest.exports)) {
      for (const path of typeof entry === "string" ? [entry] : [entry.types, entry.default]) expect(existsSync(join(unpacked, path)), path).toBe(true);
    }
  });

  test("can be imported, each entry by itself", async () => {
    const project = projectWith(name, "imported", peers[name]);
    const entries = Object.keys(manifestOf(name).exports).filter((entry) => entry !== "./package.json");
    const specifiers = entries.map((entry) => `@proxy/${name}${entry.slice(1)}`);
    for (const specifier of specifiers) {
      const source = `console.log(Object.keys(await import(${JSON.stringify(specifier)})).length)`;
      const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", source], { cwd: project });
      expect(Number(stdout), specifier).toBeGreaterThan(0);
    }
  });

  test("its examples have types under module resolution node16", () => expectTypes(name, [name], "node16"));
});

// Each of these brings others of ours along, whose examples are looked at with its own.
test.each([
  ["edge", ["http", "forwarder", "cluster", "pipeline", "edge"]],
  ["delegation", ["httpsys", "delegation"]],
  ["config", ["config"]],
] as const)("with %s, examples of %j have types under module resolution bundler", (name, examples) => expectTypes(name, examples, "bundler"));

async function expectTypes(name: string, from: readonly string[], moduleResolution: "node16" | "bundler"): Promise<void> {
  const project = projectWith(name, moduleResolution, peers[name]);
  for (const each of from) examplesOf(each).forEach((text, index) => writeFileSync(join(project, `${each}-${index}.ts`), text));
  const module = moduleResolution === "bundler" ? "esnext" : "node16";
  // The declarations of effect are its own affair.
  const compilerOptions = { noEmit: true, strict: true, target: "es2024", module, moduleResolution, types: ["node"], skipLibCheck: name === "config" };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const { stdout } = await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "--project", project]).catch((error: { stdout: string }) => error);
  expect(stdout).toBe("");
}

function examplesOf(name: string): string[] {
  const blocks = blocksOf(readFileSync(join(work, "unpacked", name, "README.md"), "utf8"));
  const examples = blocks.filter(({ language }) => language === "ts").map(({ text }) => text);
  expect(examples.length).toBeGreaterThan(0);
  return examples;
}

/** Examples that serve something, on a port that the system chooses, with the first line that they print. */
const servers: readonly (readonly [name: string, given: string, taken: string, says: RegExp])[] = [
  ["http", "port: 8080", "port: 0", /curl -d hello http:\/\/127\.0\.0\.1:\d+\/echo/],
  ["cluster", "port: 8080", "port: 0", /curl http:\/\/127\.0\.0\.1:\d+/],
  ["pipeline", "listen(8080", "listen(0", /try \/healthy .* port: \d+/],
  ["edge", "port: 8080", "port: 0", /http:\/\/127\.0\.0\.1:\d+/],
];

test.each(servers)("the example of %s runs", async (name, given, taken, says) => {
  const project = projectWith(name, "run");
  const [example = ""] = examplesOf(name);
  expect(example).toContain(given);
  writeFileSync(join(project, "main.ts"), example.replace(given, taken));
  const child = spawn(process.execPath, ["main.ts"], { cwd: project, stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    expect(line.toString()).toMatch(says);
  } finally {
    child.kill();
    await exited;
  }
});

test("the example of forwarder forwards", async () => {
  const project = projectWith("forwarder", "run");
  const example = (examplesOf("forwarder")[0] ?? "").replace("127.0.0.1:3000/base", "127.0.0.1:1/base").replace(".listen(8080)", ".listen(0)");
  writeFileSync(join(project, "main.ts"), `${example.replace(/^createServer/m, "const server = createServer")}
const { once } = await import("node:events");
await once(server, "listening");
const { status } = await fetch("http://127.0.0.1:" + (server.address() as { port: number }).port);
console.log(status);
server.close();
`);
  const { stdout, stderr } = await run(process.execPath, ["main.ts"], { cwd: project });
  expect(stdout).toBe("502\n");
  expect(stderr).toContain("Request destination");
});

test("an entry whose peer is not installed names it", async () => {
  for (const [specifier, peer] of [["@proxy/config/schema", "effect"], ["@proxy/forwarder/undici", "undici"]] as const) {
    const project = join(work, "projects", `${specifier.split("/")[1]}-run`);
    if (!existsSync(project)) projectWith(specifier.split("/")[1] ?? "", "run");
    const importing = run(process.execPath, ["--input-type=module", "--eval", `await import("${specifier}")`], { cwd: project });
    await expect(importing).rejects.toThrow(`Cannot find package '${peer}'`);
  }
});
