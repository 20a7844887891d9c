// What every Node driver here shares: it says what happens as one JSON object a line, and ends when its input does.
"use strict";
const readline = require("node:readline");

exports.say = (what) => process.stdout.write(JSON.stringify(what) + "\n");

// What the test asks for: one JSON object a line, until it closes our input.
exports.orders = async function* () {
  for await (const line of readline.createInterface({ input: process.stdin })) yield JSON.parse(line);
};

// A server ends when the test does, however that ends.
exports.endWithInput = () => {
  process.stdin.on("end", () => process.exit(0));
  process.stdin.resume();
};

// The other side's libraries lie where the test had them installed.
exports.library = (name) => require(require.resolve(name, { paths: [process.env.PEERS_NODE] }));
