"use strict";
// Colours of voices and of the page, light or dark as the reader has it.

// Okabe and Ito's colours, lighter or darker until they stand out from the page.
const HUES = {
  light: ["#0072b2", "#b84a00", "#007a55", "#a8457f", "#6f6200", "#4a4a4a"],
  dark: ["#5cb8ee", "#ff9445", "#2bd3a2", "#f095c8", "#e6d54a", "#cccccc"],
};
const DASHES = [[], [7, 3]]; // of the first six voices, and of those behind them

const darkTheme = matchMedia("(prefers-color-scheme: dark)");
const themeName = () => (darkTheme.matches ? "dark" : "light");
const hueOf = (voice) => HUES[themeName()][voice % HUES.light.length];
const dashOf = (voice) => DASHES[Math.floor(voice / HUES.light.length) % DASHES.length];
const styleOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
