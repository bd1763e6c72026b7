// The Vercel AI SDK and LangChain.js against the gateway: node node.mjs PACKAGES URL. Prints "ok NAME" for each scenario.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [packages, url] = process.argv.slice(2)
const require = createRequire(pathToFileURL(`${packages}/`))
const load = async name => import(pathToFileURL(require.resolve(name)))
const { generateText, streamText, generateObject, tool, stepCountIs } = await load('ai')
const { createOpenAI } = await load('@ai-sdk/openai')
const { createOpenAICompatible } = await load('@ai-sdk/openai-compatible')
const { createAnthropic } = await load('@ai-sdk/anthropic')
const { ChatOpenAI } = await load('@langchain/openai')
const { ChatAnthropic } = await load('@langchain/anthropic')
const { HumanMessage, ToolMessage } = await load('@langchain/core/messages')
const { z } = await load('zod')

globalThis.AI_SDK_LOG_WARNINGS = false
const HELLO = 'hello world, this is more than one delta of a stream'
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const City = z.object({ city: z.string(), degrees: z.number() })

function equal(got, wanted) {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`)
}

async function refused(promise) {
  const error = await promise.then(() => null, e => e)
  if (!error || !/the script says so/.test(error.message)) throw new Error(`no refusal: ${error}`)
}

const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: 'k' })
const models = {
  'ai chat': openai.chat('leeroo'),
  'ai responses': openai.responses('leeroo'),
  'ai compatible': createOpenAICompatible({ name: 'leeroo', baseURL: `${url}/v1`, apiKey: 'k', supportsStructuredOutputs: true })('leeroo'),
  'ai anthropic': createAnthropic({ baseURL: `${url}/v1`, apiKey: 'k' })('leeroo'),
}
const weather = () => ({
  get_weather: tool({ description: 'The weather of a city', inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => `sunny in ${city}` }),
})

async function vercel(model) {
  const asked = { model, maxRetries: 0 }
  equal((await generateText({ ...asked, prompt: 'hi' })).text, HELLO)
  const pieces = []
  for await (const piece of streamText({ ...asked, prompt: 'hi' }).textStream) pieces.push(piece)
  equal(pieces.join(''), HELLO)
  equal(pieces.length > 1, true)
  const looped = { ...asked, prompt: 'weather in Paris?', tools: weather(), stopWhen: stepCountIs(3) }
  equal((await generateText(looped)).text, 'It is sunny')
  equal(await streamText({ ...looped, tools: weather() }).text, 'It is sunny')
  equal((await generateObject({ ...asked, prompt: 'Paris?', schema: City })).object, { city: 'Paris', degrees: 21 })
  const picture = { type: 'image', image: Buffer.from(PIXEL, 'base64'), mediaType: 'image/png' }
  equal((await generateText({ ...asked, messages: [{ role: 'user', content: [{ type: 'text', text: 'what?' }, picture] }] })).text, 'I see a picture')
  await refused(generateText({ ...asked, prompt: 'please fail' }))
  const leaving = new AbortController()
  for await (const piece of streamText({ ...asked, prompt: 'please stall', abortSignal: leaving.signal, onError() {} }).textStream)
    if (piece) leaving.abort()
}

const chats = {
  'langchain chat': new ChatOpenAI({ model: 'leeroo', apiKey: 'k', maxRetries: 0, configuration: { baseURL: `${url}/v1` } }),
  'langchain responses': new ChatOpenAI({ model: 'leeroo', apiKey: 'k', maxRetries: 0, useResponsesApi: true, configuration: { baseURL: `${url}/v1` } }),
  'langchain anthropic': new ChatAnthropic({ model: 'leeroo', apiKey: 'k', maxRetries: 0, anthropicApiUrl: url }),
}

async function langchain(chat) {
  equal((await chat.invoke('hi')).text, HELLO)
  let said = ''
  for await (const chunk of await chat.stream('hi')) said += chunk.text
  equal(said, HELLO)
  const parameters = { type: 'object', properties: { city: { type: 'string' } } }
  const bound = chat.bindTools([{ type: 'function', function: { name: 'get_weather', description: 'weather', parameters } }])
  const history = [new HumanMessage('weather in Paris?')]
  history.push(await bound.invoke(history))
  const [call] = history[1].tool_calls
  equal([call.name, call.args], ['get_weather', { city: 'Paris' }])
  history.push(new ToolMessage({ content: 'sunny', tool_call_id: call.id }))
  equal((await bound.invoke(history)).text, 'It is sunny')
  equal(await chat.withStructuredOutput(City, { method: 'functionCalling', name: 'city' }).invoke('Paris?'), { city: 'Paris', degrees: 21 })
  const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } }
  equal((await chat.invoke([new HumanMessage({ content: [{ type: 'text', text: 'what?' }, image] })])).text, 'I see a picture')
  await refused(chat.invoke('please fail'))
  const leaving = new AbortController()
  const left = (async () => {
    for await (const chunk of await chat.stream('please stall', { signal: leaving.signal })) if (chunk.text) leaving.abort()
  })()
  await left.then(() => null, () => null)
}

for (const [name, model] of Object.entries(models)) {
  await vercel(model)
  console.log(`ok ${name}`)
}
for (const [name, chat] of Object.entries(chats)) {
  await langchain(chat)
  console.log(`ok ${name}`)
}
process.exit(0)
