import { createEngineClient } from "../../src/index.ts";
import { describeDestinationClientContract } from "../contract/destination-client-contract.ts";

describeDestinationClientContract("the engine's client", (options) => createEngineClient({ ...options, timerInterval: 20 }));
