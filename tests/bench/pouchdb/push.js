// Puts entries (one JSON text a line, from standard input) into a local PouchDB, then replicates it
// to the server and prints how many milliseconds that took.
const PouchDB = require("pouchdb");
const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);

(async () => {
  const [folder, url, batch] = process.argv.slice(2);
  const local = new PouchDB(`${folder}/till`);
  const documents = lines.map((entry, seq) => ({
    _id: String(seq).padStart(12, "0"),
    entry,
  }));
  await local.bulkDocs(documents);
  const began = process.hrtime.bigint();
  const done = await local.replicate.to(`${url}/till`, { batch_size: Number(batch) });
  const took = Number(process.hrtime.bigint() - began) / 1e6;
  if (done.docs_written !== documents.length) throw new Error(JSON.stringify(done));
  console.log(took);
})();
