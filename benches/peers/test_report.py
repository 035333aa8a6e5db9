"""The arithmetic of the tables: `python3 -m unittest discover benches/peers`."""

import os
import tempfile
import unittest

import report


def answer(frames, wall_s, cpu_s):
    return {"frames": frames, "wall_s": wall_s, "cpu_s": cpu_s, "found": 1}


def result():
    frames = {
        ("small", "facelens"): [answer(100, 1.0, 0.5), answer(300, 1.0, 1.5), answer(200, 1.0, 2.0)],
        ("small", "keras"): [answer(10, 2.0, 1.0)],
    }
    call = lambda ms: {"wall_ms": ms, "cpu_ms": ms}
    nets = {
        "facelens": [{"facelens-face": call(ms), "facelens-pose": call(2.0)} for ms in (1.0, 9.0, 0.1)],
        "onnxruntime": [{"facelens-face": call(0.5), "facelens-pose": call(0.7), **{f"net-{n}": call(0.3) for n in range(5)},
                         "net-0-plain": call(0.2), "net-1-plain": call(0.9)}],
    }
    size = {"width": 640, "height": 480}
    own = {
        "frames": [{**size, "faces": 1, "fps": 40.4, "cpu_ms_per_frame": 24.75}, {**size, "faces": 2, "fps": 30.0}],
        "start": {"load_models_ms": 100.0, "load_detector_ms": 50.0},
        "live": {"delay_ms": 12.3},
    }
    names = ["facelens-face", "facelens-pose", "blazeface-back-256"]
    return report.Result(own, frames, nets, {"keras": "TensorFlow"}, ["small"], names)


class Tables(unittest.TestCase):
    def test_rounds_are_summed_up_by_medians(self):
        self.assertEqual(result().frames["small", "facelens"], {"fps": 200.0, "cpu_ms": 5.0, "found": 1})
        self.assertEqual(result().frame_rows("small")[2], ["the published way", "1", "5", "100.00", "20.0"])

    def test_networks_stand_beside_each_other(self):
        rows = result().net_rows()
        self.assertEqual(rows[1], ["facelens-face", "1.00", "0.50", "2.0"])
        self.assertEqual(rows[2], ["facelens-pose", "2.00", "0.70", "2.9"])
        self.assertIn("1.00 ms by what ships", result().goal())
        self.assertIn("1.40 ms by the published", result().goal())

    def test_own_frames_are_a_table_by_size_and_faces(self):
        self.assertEqual(result().own_rows()[1], ["640x480", "40 (24.8)", "30 ()"])
        self.assertIn("12.3 ms", result().own_words())

    def test_the_readme_keeps_what_is_around_the_marks(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "README.md")
            with open(path, "w") as file:
                file.write("before\n<!-- speed: by x -->\nold\n<!-- end of speed -->\nafter\n")
            for _ in range(2):
                result().write_into(path)
            with open(path) as file:
                text = file.read()
        self.assertTrue(text.startswith("before\n<!-- speed: by x -->\n| frames a second"), text)
        self.assertTrue(text.endswith("<!-- end of speed -->\nafter\n"), text)
        self.assertNotIn("old", text)
        self.assertEqual(text.count("the published way"), 1)


if __name__ == "__main__":
    unittest.main()
