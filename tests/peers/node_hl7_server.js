// node-hl7-server as a receiver of verdicts.
//
//     node_hl7_server.js PORT
"use strict";
const { say, endWithInput, library } = require("./say.js");
const { Server } = library("node-hl7-server");

const port = Number(process.argv[2]);
const inbound = new Server({ bindAddress: "127.0.0.1" }).createInbound({ port }, async (request, response) => {
  const message = request.getMessage();
  say({ control_id: message.get("MSH.10").toString() });
  await response.sendResponse("AA");
});
inbound.on("data.raw", (text) => say({ held: text }));
inbound.on("data.error", (error) => say({ error: String(error) }));
inbound.on("listen", () => say({ listening: port }));
endWithInput();
