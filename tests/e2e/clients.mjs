// The official Node.js clients of OpenAI and Anthropic against a gateway; see test_clients_node.py.
// usage: node clients.mjs PACKAGES BASE_URL      prints "ok NAME" or "not ok NAME: WHY" for each scenario
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [packages, base] = process.argv.slice(2)
const require = createRequire(pathToFileURL(packages + '/x.js'))
const OpenAI = require('openai').default ?? require('openai')
const Anthropic = require('@anthropic-ai/sdk').default ?? require('@anthropic-ai/sdk')
const oa = new OpenAI({ baseURL: base + '/v1', apiKey: 'client-key', maxRetries: 0, timeout: 20000 })
const an = new Anthropic({ baseURL: base, apiKey: 'client-key', maxRetries: 0, timeout: 20000 })

const hello = [{ role: 'user', content: 'hello cat' }]
const weather = [{ role: 'user', content: 'the weather of Paris?' }]
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const fn = { name: 'get_weather', description: 'The weather of a city', parameters: schema }
const usage = [30, 12]
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const format = { name: 'city', strict: true, schema: { ...schema, additionalProperties: false } }
const picture = `data:image/png;base64,${pixel}`

const scenarios = {
  async 'chat plain'() {
    const a = await oa.chat.completions.create({ model: 'leeroo', messages: hello })
    assert.equal(a.choices[0].message.content, 'hello world')
    assert.deepEqual([a.usage.prompt_tokens, a.usage.completion_tokens], usage)
  },
  async 'chat stream'() {
    let text = '', last
    for await (const c of await oa.chat.completions.create({ model: 'leeroo', messages: hello, stream: true, stream_options: { include_usage: true } })) {
      text += c.choices[0]?.delta?.content ?? ''
      last = c
    }
    assert.equal(text, 'hello world ')
    assert.equal(last.usage.completion_tokens, usage[1])
  },
  async 'chat tools there and back'() {
    const tools = [{ type: 'function', function: fn }]
    const first = await oa.chat.completions.stream({ model: 'leeroo', messages: weather, tools }).finalChatCompletion()
    const call = first.choices[0].message.tool_calls[0]
    assert.equal(first.choices[0].finish_reason, 'tool_calls')
    assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Paris' })
    const second = await oa.chat.completions.create({
      model: 'leeroo', tools,
      messages: [...weather, first.choices[0].message, { role: 'tool', tool_call_id: call.id, content: 'sunny' }],
    })
    assert.equal(second.choices[0].message.content, 'hello world')
  },
  async 'completions'() {
    assert.equal((await oa.completions.create({ model: 'leeroo', prompt: 'hello cat' })).choices[0].text, 'hello world')
  },
  async 'responses plain'() {
    const a = await oa.responses.create({ model: 'leeroo', input: 'hello cat' })
    assert.equal(a.output_text, 'hello world')
    assert.deepEqual([a.usage.input_tokens, a.usage.output_tokens], usage)
  },
  async 'responses stream'() {
    const s = oa.responses.stream({ model: 'leeroo', input: 'hello cat' })
    let text = ''
    s.on('response.output_text.delta', (e) => { text += e.delta })
    const final = await s.finalResponse()
    assert.equal(text, 'hello world ')
    assert.equal(final.output_text, text)
    assert.equal(final.status, 'completed')
  },
  async 'responses tools there and back'() {
    const tools = [{ type: 'function', strict: false, ...fn }]
    const first = await oa.responses.create({ model: 'leeroo', input: weather, tools })
    const call = first.output.find((i) => i.type === 'function_call')
    assert.deepEqual(JSON.parse(call.arguments), { city: 'Paris' })
    const input = [...weather, call, { type: 'function_call_output', call_id: call.call_id, output: 'sunny' }]
    assert.equal((await oa.responses.create({ model: 'leeroo', input, tools })).output_text, 'hello world')
  },
  async 'messages plain'() {
    const a = await an.messages.create({ model: 'leeroo', max_tokens: 64, system: 'Be brief.', messages: hello })
    assert.equal(a.content[0].text, 'hello world')
    assert.equal(a.stop_reason, 'end_turn')
    assert.deepEqual([a.usage.input_tokens, a.usage.output_tokens], usage)
  },
  async 'messages stream'() {
    const s = an.messages.stream({ model: 'leeroo', max_tokens: 64, messages: hello })
    let text = ''
    s.on('text', (t) => { text += t })
    const final = await s.finalMessage()
    assert.equal(text, 'hello world ')
    assert.equal(final.content[0].text, text)
    assert.equal(final.usage.output_tokens, usage[1])
  },
  async 'messages tools there and back'() {
    const tools = [{ name: fn.name, description: fn.description, input_schema: schema }]
    const first = await an.messages.stream({ model: 'leeroo', max_tokens: 64, messages: weather, tools }).finalMessage()
    const call = first.content.find((b) => b.type === 'tool_use')
    assert.deepEqual(call.input, { city: 'Paris' })
    const messages = [...weather, { role: 'assistant', content: first.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'sunny' }] }]
    assert.equal((await an.messages.create({ model: 'leeroo', max_tokens: 64, messages, tools })).content[0].text, 'hello world')
  },
  async 'structured'() {
    const chat = await oa.chat.completions.create({ model: 'leeroo', messages: hello, response_format: { type: 'json_schema', json_schema: format } })
    assert.deepEqual(JSON.parse(chat.choices[0].message.content), { city: 'Paris' })
    const responses = await oa.responses.create({ model: 'leeroo', input: hello, text: { format: { type: 'json_schema', ...format } } })
    assert.deepEqual(JSON.parse(responses.output_text), { city: 'Paris' })
    const output_config = { format: { type: 'json_schema', schema: format.schema } }
    const s = an.messages.stream({ model: 'leeroo', max_tokens: 64, messages: hello, output_config })
    assert.deepEqual(JSON.parse((await s.finalMessage()).content[0].text), { city: 'Paris' })
  },
  async 'images'() {
    const chat = [{ role: 'user', content: [{ type: 'text', text: 'what?' }, { type: 'image_url', image_url: { url: picture } }] }]
    assert.equal((await oa.chat.completions.create({ model: 'leeroo', messages: chat })).choices[0].message.content, 'I see')
    const input = [{ role: 'user', content: [{ type: 'input_text', text: 'what?' }, { type: 'input_image', image_url: picture, detail: 'auto' }] }]
    assert.equal((await oa.responses.create({ model: 'leeroo', input })).output_text, 'I see')
    const source = { type: 'base64', media_type: 'image/png', data: pixel }
    const messages = [{ role: 'user', content: [{ type: 'image', source }, { type: 'text', text: 'what?' }] }]
    assert.equal((await an.messages.create({ model: 'leeroo', max_tokens: 64, messages })).content[0].text, 'I see')
  },
  async 'errors are the libraries own'() {
    await assert.rejects(oa.chat.completions.create({ model: 'nobody', messages: hello }), OpenAI.NotFoundError)
    await assert.rejects(oa.responses.create({ model: 'mid', input: 'hi' }), (e) => e instanceof OpenAI.BadRequestError && /odd/.test(e.message))
    await assert.rejects(an.messages.create({ model: 'mid', max_tokens: 9, messages: hello }),
      (e) => e instanceof Anthropic.BadRequestError && /odd/.test(e.message) && e.error.error.type === 'invalid_request_error')
  },
  async 'the clients time limit'() {
    await assert.rejects(oa.chat.completions.create({ model: 'dear', messages: hello }, { timeout: 300 }), OpenAI.APIConnectionTimeoutError)
    await assert.rejects(an.messages.create({ model: 'dear', max_tokens: 9, messages: hello }, { timeout: 300 }), Anthropic.APIConnectionTimeoutError)
  },
  async 'leaving'() {
    const stop = new AbortController()
    const asked = oa.chat.completions.create({ model: 'dear', messages: hello, stream: true }, { signal: stop.signal })
    setTimeout(() => stop.abort(), 200)
    await assert.rejects(asked, OpenAI.APIUserAbortError)
  },
}

for (const [name, run] of Object.entries(scenarios)) {
  try {
    await run()
    console.log('ok ' + name)
  } catch (e) {
    console.log(`not ok ${name}: ${String(e?.stack ?? e).replaceAll('\n', ' | ')}`)
  }
}
process.exit(0)
