// simple-hl7's client as an analyser.
//
//     simple_hl7_client.js HOST PORT
//
// Takes one order a line: {"message": "MSH|…"}, or {"messages": […]} for several sent without waiting.
"use strict";
const { say, orders, library } = require("./say.js");
const hl7 = library("simple-hl7");

const [host, port] = process.argv.slice(2);
const parser = new hl7.Parser({ segmentSeperator: "\r" });
const client = hl7.Server.createTcpClient({ host, port: Number(port), keepalive: true });

function tell(error, answer) {
  if (error) return say({ error: String(error) });
  const msa = answer.getSegment("MSA");
  say({ code: msa.getField(1), control_id: msa.getField(2), text: answer.toString() });
}

async function main() {
  for await (const order of orders()) {
    await new Promise((done) => {
      const taken = (error, answer) => {
        tell(error, answer);
        done();
      };
      client.send(parser.parse(order.message), taken);
    });
  }
  client.close();
  say({ ended: true });
}
main();
