import "../../core/ui/tokens.css";
import { mount } from "svelte";
import { loadFonts } from "../../core/map/fonts";
import Hub from "./Hub.svelte";

void loadFonts();
mount(Hub, { target: document.body });
