// express-pouchdb on LevelDB in a folder; prints its port once it listens.
const express = require("express");
const PouchDB = require("pouchdb");

const folder = process.argv[2];
const Kept = PouchDB.defaults({ prefix: `${folder}/` });
const application = express();
application.use(
  require("express-pouchdb")(Kept, {
    mode: "minimumForPouchDB",
    inMemoryConfig: true,
  }),
);
const listener = application.listen(0, "127.0.0.1", () => console.log(listener.address().port));
