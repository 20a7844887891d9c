// node-hl7-client as an analyser.
//
//     node_hl7_client.js HOST PORT patient|hasty
//
// Takes one order a line: {"message": "MSH|…"}. Patient: the next message waits for the answer to this one.
"use strict";
const { say, orders, library } = require("./say.js");
const { Client, Message } = library("node-hl7-client");

const [host, port, manner] = process.argv.slice(2);
const client = new Client({ host });
let answered = () => {};
const connection = client.createConnection({ port: Number(port), waitAck: manner === "patient" }, (response) => {
  const message = response.getMessage();
  say({
    code: message.get("MSA.1").toString(),
    control_id: message.get("MSA.2").toString(),
    text: message.toString(),
  });
  answered();
});
connection.on("client.error", (error) => say({ error: String(error) }));
connection.on("data.error", (error) => say({ error: String(error) }));

async function main() {
  await new Promise((connected) => connection.on("connect", connected));
  let count = 0;
  for await (const order of orders()) {
    count += 1;
    const came = new Promise((done) => (answered = done));
    await connection.sendMessage(new Message({ text: order.message }));
    if (manner === "patient") await came;
  }
  while (manner !== "patient" && client.totalAck() < count) await new Promise((done) => setTimeout(done, 10));
  await connection.close();
  say({ ended: true });
  process.exit(0);
}
main();
