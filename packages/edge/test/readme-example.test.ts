import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

test("the README's example runs and answers a preflight", async () => {
  const readme = await readFile(`${packageFolder}README.md`, "utf8");
  const source = /```ts\n([^]*?)```/.exec(readme)?.[1]?.replace("port: 8080", "port: 0") ?? "";
  const child = spawn(process.execPath, ["--conditions=@proxy/source", "--input-type=module-typescript", "--eval", source], {
    cwd: packageFolder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const url = /http:\S+/.exec(line.toString())?.[0] ?? "";
    const headers = { Origin: "https://app.example", "Access-Control-Request-Method": "PUT" };
    const answer = await fetch(new URL("/api/x", url), { method: "OPTIONS", headers });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
  } finally {
    child.kill();
    await exited;
  }
});
