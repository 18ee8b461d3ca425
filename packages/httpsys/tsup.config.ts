import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts", "src/cli.ts"],
  format: ["esm"],
  target: "es2024",
  platform: "node",
  // Declarations come from tsc: TypeScript 7 has no compiler API for tsup to call.
  dts: false,
  sourcemap: true,
  clean: true,
  external: ["koffi"],
});
