/** A conversation with a picture and a sound in it, which are in the trace itself. */
import type { Message, Part } from "../src/api";
import { assistant, text } from "./builder";
import type { Scene } from "./scenes";

/** 96 × 64 pixels: the sun over a boat. */
const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAAGAAAABAAgMAAACYWpqdAAAADFBMVEV4tPD60lAeWpbw8PBDFfpeAAAAZ0lEQVR42mNgGAWEQGioA1ZxxtDQAKwSoqGhoaRJAMWxWsIIkggYxhI4fU5GIOKMD5wxiAH+H8Auzvz/A3YJ/v9/SJSw//+fRIn//7E7ixko8YFiiVVgAJR4tQoFMKzCAUYlRiXgAADSsqW634d7CgAAAABJRU5ErkJggg==";

/** Half a second of 220 Hz: 8,000 samples a second of 8 bits. */
function sound(): string {
  const samples = Array.from({ length: 4000 }, (_, i) => 128 + Math.round(60 * Math.sin((i / 8000) * 220 * 2 * Math.PI)));
  const number = (n: number, size: number) => Array.from({ length: size }, (_, i) => (n >> (8 * i)) & 255);
  const letters = (word: string) => [...word].map((letter) => letter.charCodeAt(0));
  const head = [...letters("RIFF"), ...number(36 + samples.length, 4), ...letters("WAVEfmt "), ...number(16, 4), ...number(1, 2), ...number(1, 2), ...number(8000, 4), ...number(8000, 4), ...number(1, 2), ...number(8, 2), ...letters("data"), ...number(samples.length, 4)];
  return btoa(String.fromCharCode(...head, ...samples));
}

const blob = (modality: string, mime: string, content: string): Part => ({ type: "media", modality, mime, src: `data:${mime};base64,${content}` });

export const media: Scene = (b) => {
  b.service = "photo-helper";
  const asked: Message = { role: "user", parts: [text("What is on this picture? Say it aloud."), blob("image", "image/png", PICTURE)] };
  // A type that browsers run scripts of is never drawn.
  asked.parts.push(blob("image", "image/svg+xml", btoa("<svg xmlns='http://www.w3.org/2000/svg' onload='globalThis.hurt=1'/>")));
  b.chat({ model: "gpt-5.5", ms: 2100, finish: "stop", usage: { input: 480, output: 60 }, input: [asked], output: [assistant("A boat under the sun.", blob("audio", "audio/wav", sound()))] });
};
