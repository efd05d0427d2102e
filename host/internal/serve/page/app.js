"use strict";

// A column is a model and what was said to it and by it. All columns are asked the same.

const byId = (id) => document.getElementById(id);
const columns = [];
let models = [];
let stopping = null; // of the answers that come

function headers() {
  const all = { "Content-Type": "application/json" };
  if (byId("token").value) all.Authorization = "Bearer " + byId("token").value;
  return all;
}

function notice(text) {
  byId("notice").textContent = text;
  byId("notice").hidden = !text;
}

async function failureOf(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return "the server says " + response.status;
  }
}

async function loadModels() {
  try {
    const response = await fetch("v1/models", { headers: headers() });
    if (!response.ok) throw new Error(await failureOf(response));
    models = (await response.json()).data.filter((m) => m.writes).map((m) => m.id);
    notice(models.length ? "" : "No model here answers chats.");
  } catch (error) {
    notice("Models can't be listed: " + error.message);
  }
  columns.forEach(listModels);
}

function listModels(column, number) {
  const chosen = column.select.value;
  column.select.replaceChildren(...models.map((id) => new Option(id, id)));
  column.select.value = models.includes(chosen) ? chosen : models[Math.min(number, models.length - 1)] ?? "";
}

function addColumn() {
  const section = byId("column").content.cloneNode(true).firstElementChild;
  const column = { section, select: section.querySelector("select"), talk: section.querySelector(".talk"), messages: [] };
  columns.push(column);
  byId("columns").append(section);
  listModels(column, columns.length - 1);
  clearColumn(column);
  column.select.addEventListener("change", () => clearColumn(column));
}

function clearColumn(column) {
  column.messages = [];
  column.talk.replaceChildren(line("p", "empty", "Nothing was said yet."));
}

function line(kind, name, text) {
  const element = document.createElement(kind);
  element.className = name;
  element.textContent = text;
  return element;
}

function show(column, element) {
  column.talk.querySelector(".empty")?.remove();
  column.talk.append(element);
  column.talk.scrollTop = column.talk.scrollHeight;
  return element;
}

function body(column) {
  const number = (id) => (byId(id).value === "" ? undefined : Number(byId(id).value));
  const system = byId("system").value.trim();
  return {
    model: column.select.value,
    messages: [...(system ? [{ role: "system", content: system }] : []), ...column.messages],
    temperature: number("temperature"), top_p: number("top_p"), max_tokens: number("max_tokens"), seed: number("seed"),
    stream: true, stream_options: { include_usage: true },
  };
}

// events yields the values of a stream of server-sent events.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (waiting + value).split("\n\n");
    waiting = parts.pop();
    for (const part of parts) {
      const data = part.replace(/^data: /, "");
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  }
}

async function answer(column, question, signal) {
  column.messages.push({ role: "user", content: question });
  show(column, line("div", "turn user", question));
  const turn = show(column, line("div", "turn assistant waiting", ""));
  const begun = performance.now();
  let usage = null;
  let finish = "stopped by you";
  try {
    const response = await fetch("v1/chat/completions",
      { method: "POST", headers: headers(), body: JSON.stringify(body(column)), signal });
    if (!response.ok) throw new Error(await failureOf(response));
    for await (const event of events(response)) {
      if (event.error) throw new Error(event.error.message);
      usage = event.usage ?? usage;
      finish = event.choices[0]?.finish_reason ?? finish;
      const piece = event.choices[0]?.delta.content;
      if (!piece) continue;
      const atEnd = column.talk.scrollHeight - column.talk.scrollTop - column.talk.clientHeight < 40;
      turn.textContent += piece;
      if (atEnd) column.talk.scrollTop = column.talk.scrollHeight;
    }
  } catch (error) {
    if (error.name !== "AbortError") {
      turn.classList.add("failed");
      turn.textContent += error.message;
      column.messages.pop();
      return;
    }
  } finally {
    turn.classList.remove("waiting");
  }
  column.messages.push({ role: "assistant", content: turn.textContent });
  const seconds = (performance.now() - begun) / 1000;
  const counted = usage ? `${usage.completion_tokens} tokens, ${(usage.completion_tokens / seconds).toFixed(1)} a second, ` : "";
  show(column, line("div", "note", counted + finish));
}

async function ask(event) {
  event.preventDefault();
  if (stopping) {
    stopping.abort();
    return;
  }
  const question = byId("question").value.trim();
  if (!question) return;
  byId("question").value = "";
  byId("send").textContent = "Stop";
  stopping = new AbortController();
  await Promise.all(columns.map((column) => answer(column, question, stopping.signal)));
  stopping = null;
  byId("send").textContent = "Send";
  byId("question").focus();
}

function compare() {
  stopping?.abort();
  if (byId("compare").checked) {
    columns.forEach(clearColumn); // both hear the same from the start
    addColumn();
  } else {
    columns.pop().section.remove();
  }
}

byId("ask").addEventListener("submit", ask);
byId("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!stopping) byId("ask").requestSubmit();
  }
});
byId("compare").addEventListener("change", compare);
byId("clear").addEventListener("click", () => {
  stopping?.abort();
  columns.forEach(clearColumn);
});
byId("token").addEventListener("change", loadModels);
addColumn();
loadModels();
