import "../../core/ui/tokens.css";
import "../../core/ui/map.css";
import { mount } from "svelte";
import Wall from "./Wall.svelte";

mount(Wall, { target: document.body });
