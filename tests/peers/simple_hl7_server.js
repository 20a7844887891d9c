// simple-hl7's server as a receiver: of verdicts, or of an analyser's results.
//
//     simple_hl7_server.js PORT
"use strict";
const { say, endWithInput, library } = require("./say.js");
const hl7 = library("simple-hl7");

const port = Number(process.argv[2]);
const app = hl7.tcp();
app.use((request, response) => {
  say({ message: request.raw, control_id: request.msg.header.getField(8) });
  response.end();
});
app.use((error, request, response, next) => say({ error: String(error) }));
const server = app.start(port);
server.server.on("listening", () => say({ listening: port }));
endWithInput();
