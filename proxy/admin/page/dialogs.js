// Questions before anything is done that others feel.

// opened shows a dialog; with the answer "yes" its form is what was filled in.
function opened(id, submit) {
	const dialog = document.getElementById(id)
	const form = dialog.querySelector('form')
	return new Promise(resolve => {
		const done = new AbortController()
		const end = answer => {
			done.abort()
			if (dialog.open) dialog.close()
			resolve(answer)
		}
		const on = (target, event, f) => target.addEventListener(event, f, { signal: done.signal })
		const no = form.querySelector('[value=no]')
		if (no) on(no, 'click', () => end(null))
		on(dialog, 'cancel', e => {
			e.preventDefault()
			if (no) end(null)
		})
		on(form, 'submit', async e => {
			e.preventDefault()
			const answer = await submit(form)
			if (answer !== undefined) end(answer)
		})
		dialog.showModal()
	})
}

export function confirm(title, text, word) {
	const dialog = document.getElementById('confirm')
	dialog.querySelector('h2').textContent = title
	dialog.querySelector('p').textContent = text
	dialog.querySelector('.do').textContent = word
	return opened('confirm', () => true)
}

const labels = { url: 'URL', prefix: 'URLs begin with', tag: 'Tag' }

// purge asks what, and has it done: what is wrong stays in sight until it is right.
export function purge(act) {
	const form = document.querySelector('#purging form')
	const [what, wrong] = [form.elements.what, form.querySelector('.wrong')]
	const shape = () => {
		const by = form.elements.by.value
		what.closest('label').hidden = by === 'all'
		what.required = by !== 'all'
		document.getElementById('purging-of').textContent = labels[by] ?? ''
		what.placeholder = by === 'tag' ? 'product-7' : 'http://example.org/news'
	}
	form.onchange = shape
	form.reset()
	shape()
	wrong.textContent = ''
	return opened('purging', async () => {
		const by = form.elements.by.value
		try {
			return await act({ [by]: by === 'all' || what.value.trim(), soft: form.elements.soft.checked })
		} catch (err) {
			wrong.textContent = err.message
		}
	})
}

let asking

// login asks for the token, once for all who need it.
export function login(why) {
	const form = document.querySelector('#login form')
	form.querySelector('.wrong').textContent = why
	asking ??= opened('login', () => form.elements.token.value).finally(() => {
		asking = null
		form.reset()
	})
	return asking
}
