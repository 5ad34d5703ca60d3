// The stage and the tests of scripts/dashboard: an app of three processes, two
// services that others run, some load on both, and the page that shows them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Agent, createServer, get } from 'node:http'
import { chromium } from 'playwright-core'

const [dir, browserPath, shot, picture] = process.argv.slice(2)
const patience = 60_000
const free = async () => {
	const s = createServer().listen(0, '127.0.0.1')
	await once(s, 'listening')
	const { port } = s.address()
	s.close()
	return port
}

const app = `require('http').createServer((q, s) => setTimeout(() => {
	s.statusCode = q.url.startsWith('/none') ? 404 : q.url.startsWith('/old') ? 301 : 200
	if (q.url.startsWith('/kept')) s.setHeader('Cache-Control', 'max-age=2')
	s.end('hello')
}, 2 + 30 * Math.random() ** 6 * 6)).listen(process.env.PORT, '127.0.0.1')`

async function service(slow) {
	const s = createServer((q, r) => setTimeout(() => {
		r.statusCode = q.url.includes('broken') ? 500 : 200
		r.end('{}')
	}, slow * (1 + Math.random())))
	s.listen(0, '127.0.0.1')
	await once(s, 'listening')
	return `http://127.0.0.1:${s.address().port}`
}

const [front, admin] = [await free(), await free()]
const services = [await service(8), await service(20)]
writeFileSync(`${dir}/app.js`, app)
writeFileSync(`${dir}/config.yaml`, `
cache: 64MiB
session: memory
pools:
  web:
    spawn: 3
    spawn-command: node ${dir}/app.js
    balance: least-connections
  api:
    upstream: ["${services[0]};weight=3;max=32", "${services[1]};max=32"]
    balance: p2c
routes:
  - {name: api, match: {path: /api/*}, pool: api, cache: off}
  - {name: static, match: {path: /kept/*}, pool: web}
  - {name: web, pool: web}
`)

function serve(...flags) {
	const p = spawn(`${dir}/multiserver`, ['run', '--config', `${dir}/config.yaml`, '--listen', `127.0.0.1:${front}`, '--admin', `127.0.0.1:${admin}`, '--log-level', 'error', ...flags], { stdio: 'inherit' })
	const ended = once(p, 'exit')
	return async () => {
		p.kill('SIGTERM')
		await ended
	}
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 })
const ask = (port, path, headers = {}) => new Promise((resolve, reject) => {
	get({ agent, port, host: '127.0.0.1', path, headers }, r => r.resume().on('end', () => resolve(r.statusCode))).on('error', reject)
})

async function until(what, so) {
	for (const end = Date.now() + patience; ;) {
		try { if (await so()) return } catch { /* not yet */ }
		if (Date.now() > end) throw new Error(`in vain: ${what}`)
		await new Promise(r => setTimeout(r, 50))
	}
}

// load asks for a mixture, some hundred a second, until it is told to end.
function load() {
	let on = true
	const paths = ['/', '/', '/shop', '/kept/logo', '/kept/app.js', '/kept/' , '/api/users', '/api/cart', '/api/stock', '/none', '/old', '/api/broken?1']
	const one = async () => {
		for (let i = 0; on; i++) {
			const path = paths[Math.floor(Math.random() * (paths.length - (Math.random() < .9 ? 1 : 0)))]
			await ask(front, path.startsWith('/kept/') ? path + Math.floor(Math.random() * 20) : path).catch(() => {})
			await new Promise(r => setTimeout(r, 10 + 30 * Math.random() + 20 * (1 + Math.sin(Date.now() / 9000))))
		}
	}
	const all = Array.from({ length: 12 }, one)
	return async () => {
		on = false
		await Promise.all(all)
	}
}

const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] })
const url = `http://127.0.0.1:${admin}/`

// open is the page, with everything that the console says against it.
async function open(options = {}) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
	const page = await context.newPage()
	page.setDefaultTimeout(patience)
	page.wrong = []
	page.on('console', m => ['error', 'warning'].includes(m.type()) && page.wrong.push(m.text()))
	page.on('pageerror', e => page.wrong.push(String(e)))
	page.on('request', r => r.url().startsWith(url) || page.wrong.push(`loaded from elsewhere: ${r.url()}`))
	await page.goto(url)
	return page
}

const row = (page, name) => page.getByRole('row').filter({ hasText: name })
const tile = (page, name) => page.locator('#tiles > div', { has: page.locator(`dt:text-is("${name}")`) }).locator('dd').textContent()
const live = page => page.locator('#ready[data-is=up]').waitFor()
const clean = page => assert.deepEqual(page.wrong, [])

// contrast is the least of all texts against what is behind them, as WCAG has it.
const contrast = page => page.evaluate(() => {
	const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
	const rgb = color => {
		canvas.clearRect(0, 0, 1, 1)
		canvas.fillStyle = color
		canvas.fillRect(0, 0, 1, 1)
		return [...canvas.getImageData(0, 0, 1, 1).data]
	}
	const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0)
	const behind = e => {
		for (; e; e = e.parentElement) {
			const c = rgb(getComputedStyle(e).backgroundColor)
			if (c[3] === 255) return c
		}
		return [255, 255, 255]
	}
	let least = [99, '']
	for (const e of document.querySelectorAll('body *')) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility() || e.disabled) continue
		const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x)
		const ratio = (a + .05) / (b + .05)
		if (ratio < least[0]) least = [ratio, e.outerHTML.slice(0, 80)]
	}
	return least
})

async function legible(page, how) {
	const [ratio, where] = await contrast(page)
	assert.ok(ratio >= 4.5, `${how}: contrast ${ratio.toFixed(2)} of ${where}`)
}

// nameless are controls and figures that a screen reader has no word for.
const nameless = page => page.evaluate(() => [...document.querySelectorAll('button, input, [role=img], table, dialog')]
	.filter(e => e.checkVisibility() && !(e.ariaLabel || e.labels?.length || e.textContent.trim() || e.getAttribute('aria-labelledby')))
	.map(e => e.outerHTML.slice(0, 80)))

const tests = {
	async 'values change as requests come'() {
		const page = await open()
		await live(page)
		await until('requests per second', async () => parseFloat(await tile(page, 'Requests/s')) > 20)
		await until('hits', async () => parseFloat(await tile(page, 'Hit ratio')) > 0)
		const seen = new Set()
		await until('other values', async () => seen.add(await tile(page, 'Requests/s')).size > 2)
		await row(page, services[0]).locator('.health', { hasText: 'up' }).waitFor()
		await page.locator('#children tbody tr').nth(2).waitFor()
		await page.locator('#routes tbody tr', { hasText: 'static' }).waitFor()
		await until('a chart in words', async () => /2xx [1-9]/.test(await page.locator('.plot').first().getAttribute('aria-label')))
		assert.deepEqual(await nameless(page), [])
		clean(page)
	},
	async 'charts show what was before the page'() {
		const { moments } = await (await fetch(url + 'api/history')).json()
		const lasts = (Date.now() - Date.parse(moments[0].time)) / 1000
		assert.ok(lasts > 2, `the server remembers ${lasts} s`)
		const page = await open()
		await live(page)
		const begun = Date.now()
		await until('a line from before', async () => {
			const [, minutes = 0, seconds] = /the last (?:(\d+) min )?(\d+) s:/.exec(await page.locator('.plot').first().getAttribute('aria-label'))
			return minutes * 60 + Number(seconds) >= Math.floor(lasts) - 1 + Math.floor((Date.now() - begun) / 1000) - 1
		})
		clean(page)
	},
	async 'drain drains, and undrain undoes it'() {
		const page = await open()
		await live(page)
		const up = row(page, services[1])
		await up.getByRole('button', { name: 'Drain' }).click()
		await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
		await up.locator('[data-is=up]').waitFor()
		await up.getByRole('button', { name: 'Drain' }).click()
		await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click()
		await up.locator('[data-is=drained]').waitFor()
		await until('no more requests there', async () => await up.locator('[data-head="Requests/s"]').textContent() === '0')
		await up.getByRole('button', { name: 'Undrain' }).click()
		await up.locator('[data-is=up]').waitFor()
		await until('requests there', async () => await up.locator('[data-head="Requests/s"]').textContent() !== '0')
		clean(page)
	},
	async 'the keyboard is enough'() {
		const page = await open()
		await live(page)
		const focused = what => page.evaluate(w => (document.activeElement.ariaLabel ?? document.activeElement.textContent).startsWith(w), what)
		const tabTo = async what => {
			for (let i = 0; i < 40; i++) {
				await page.keyboard.press('Tab')
				if (await focused(what)) return
			}
			throw new Error(`Tab does not lead to ${what}`)
		}
		await tabTo(`Weight of ${services[0]}`)
		await page.keyboard.press('Control+A')
		await page.keyboard.type('7')
		await page.keyboard.press('Enter')
		await page.getByRole('status').filter({ hasText: 'has weight 7' }).waitFor()
		await tabTo('Drain')
		await page.keyboard.press('Enter')
		await page.getByRole('dialog').waitFor()
		await page.keyboard.press('Escape')
		await page.getByRole('dialog').waitFor({ state: 'hidden' })
		assert.ok(await focused('Drain'), 'the focus is back where it was')
		await page.keyboard.press('Enter')
		await page.keyboard.press('Tab')
		await page.keyboard.press('Enter')
		await row(page, services[0]).locator('[data-is=drained]').waitFor()
		await page.keyboard.press('Enter') // it is Undrain now
		await row(page, services[0]).locator('[data-is=up]').waitFor()
		clean(page)
	},
	async 'a purge says what it did, and what is wrong with it'() {
		const page = await open()
		await live(page)
		await page.getByRole('button', { name: 'Purge cache' }).click()
		const dialog = page.getByRole('dialog')
		await dialog.getByLabel('URL', { exact: true }).fill('nonsense')
		await dialog.getByRole('button', { name: 'Purge' }).click()
		await dialog.getByRole('alert').filter({ hasText: 'nonsense' }).waitFor()
		await dialog.getByLabel('Everything').check()
		await dialog.getByRole('button', { name: 'Purge' }).click()
		await page.getByRole('status').filter({ hasText: 'Purged' }).waitFor()
		page.wrong = page.wrong.filter(w => !w.includes('400')) // Chromium tells of the answer, too
		clean(page)
	},
	async 'restart replaces every process'() {
		const page = await open()
		await live(page)
		const pids = async () => (await page.locator('#children tbody th').allTextContents()).map(t => t.match(/pid (\d+)/)[1])
		await page.locator('#children tbody tr').nth(2).waitFor()
		const before = await pids()
		await page.getByRole('button', { name: 'Restart app' }).click()
		await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click()
		await page.getByRole('status').filter({ hasText: 'were replaced' }).waitFor()
		await until('other processes', async () => {
			const now = await pids()
			return now.length === 3 && !now.some(p => before.includes(p))
		})
		clean(page)
	},
	async 'dark and light are legible, on a phone, too'() {
		for (const colorScheme of ['dark', 'light']) {
			for (const width of [375, 768, 1280]) {
				const page = await open({ colorScheme, viewport: { width, height: 800 } })
				await live(page)
				await page.locator('#routes tbody tr').first().waitFor()
				const wide = await page.evaluate(() => document.documentElement.scrollWidth)
				assert.ok(wide <= width, `${width} px: ${wide} px wide`)
				await legible(page, `${colorScheme}, ${width} px`)
				await page.getByRole('button', { name: 'Drain' }).first().click()
				await legible(page, `${colorScheme}, dialog`)
				clean(page)
				await page.context().close()
			}
		}
	},
	async 'it finds the server again'() {
		const page = await open()
		await live(page)
		await stop()
		await page.locator('#ready', { hasText: 'not reachable' }).waitFor()
		stop = serve()
		await live(page)
		await stop()
		stop = serve('--admin-token', 's3cret')
		await page.getByRole('dialog').waitFor()
		const token = page.getByRole('textbox', { name: 'Token' })
		await token.fill('wrong')
		await page.keyboard.press('Enter')
		await page.getByRole('alert').filter({ hasText: 'token' }).waitFor()
		await token.fill('s3cret')
		await page.keyboard.press('Enter')
		await live(page)
		assert.equal(page.url(), url)
		await page.reload() // the tab has it still
		await live(page)
		const other = await open()
		await other.getByRole('dialog').waitFor()
		await legible(other, 'the dialog for the token')
	},
}

async function paint() {
	const page = await open({ viewport: { width: 1200, height: 1116 } })
	await live(page)
	await new Promise(r => setTimeout(r, Number(process.env.SHOT_SECONDS ?? 100) * 1000))
	await page.screenshot({ path: picture })
	for (const [name, options] of Object.entries({ dark: { colorScheme: 'dark' }, phone: { viewport: { width: 375, height: 800 } } })) {
		if (!process.env.SHOTS) break
		const other = await open(options)
		await live(other)
		await new Promise(r => setTimeout(r, 12_000))
		await other.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: true })
	}
}

let stop = serve()
let failed = 0
try {
	await until('the front', async () => await ask(front, '/') === 200)
	const end = load()
	if (shot === '-shot') await paint()
	for (const [name, test] of Object.entries(tests)) {
		if (process.env.ONLY && !name.includes(process.env.ONLY)) continue
		try {
			await test()
			console.log(`ok ${name}`)
		} catch (err) {
			failed = 1
			console.log(`FAILED ${name}\n${err.stack}`)
		}
	}
	await end()
} finally {
	await browser.close()
	await stop()
}
process.exit(failed)
