// Scores a run of the public cache tests as their own result page does:
//   node cache-tests.mjs SUITE RESULTS.json REQUIRED_FAILURES_ALLOWED OPTIMAL_PASSES_WANTED
// A test whose dependency did not pass, or that could not be set up, is n/a. Those of
// cache-tests.json do not count, each for the reason that stands there.
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [suite, file, allowed, wanted] = process.argv.slice(2)
const exempt = JSON.parse(fs.readFileSync(new URL('cache-tests.json', import.meta.url)))
const results = JSON.parse(fs.readFileSync(file))
const groups = (await import(pathToFileURL(path.resolve(suite, 'tests/index.mjs')))).default

const tests = new Map(groups.flatMap(g => g.tests).map(t => [t.id, t]))
const known = new Map()

// verdict is 'pass', 'fail' or 'n/a'.
function verdict (id) {
  if (!known.has(id)) known.set(id, judge(id))
  return known.get(id)
}

function judge (id) {
  const result = results[id]
  if (result === undefined) return 'n/a'
  if ((tests.get(id).depends_on ?? []).some(d => verdict(d) !== 'pass')) return 'n/a'
  if (result === true) return 'pass'
  return result[0] === 'Setup' ? 'n/a' : 'fail'
}

const kinds = { required: {}, optimal: {}, check: {} }
for (const kind of Object.values(kinds)) Object.assign(kind, { pass: [], fail: [], 'n/a': [] })
for (const [id, test] of tests) {
  if (test.browser_only || id in exempt) continue
  kinds[test.kind ?? 'required'][verdict(id)].push(id)
}

console.log('| | pass | fail | n/a | of |\n|---|---|---|---|---|')
for (const [name, { pass, fail, 'n/a': none }] of Object.entries(kinds)) {
  console.log(`| ${name} | ${pass.length} | ${fail.length} | ${none.length} | ${pass.length + fail.length + none.length} |`)
}
console.log(`\n${Object.keys(exempt).length} tests are left out: scripts/cache-tests.json`)
for (const name of ['required', 'optimal']) {
  for (const id of [...kinds[name].fail, ...kinds[name]['n/a']]) {
    console.log(`${name}: ${verdict(id)}: ${id}: ${[results[id]].flat()[1] ?? 'not run, or a dependency'}`)
  }
}

const { required, optimal } = kinds
if (required.fail.length + required['n/a'].length > +allowed || optimal.pass.length < +wanted) {
  console.log(`\nwanted: ${allowed} required tests without a pass at most, ${wanted} optimal ones with`)
  process.exit(1)
}
