// duckdb.js SQL: its rows as JSON, 64-bit numbers as strings.
const { DuckDBInstance } = require('@duckdb/node-api');

(async () => {
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  const rows = await db.runAndReadAll(process.argv[2]);
  console.log(JSON.stringify(rows.getRowObjectsJson()));
})();
