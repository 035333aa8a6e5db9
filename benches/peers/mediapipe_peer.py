"""mediapipe's own face mesh, or its face detection alone, on one core. They say neither age nor gender; the mesh is what
people take head pose from."""

import os

os.environ["GLOG_minloglevel"] = "3"

import cv2
import mediapipe

import worker


class MediaPipe:
    def __init__(self, options):
        solutions = mediapipe.solutions
        if options["what"] == "mesh":
            graph = solutions.face_mesh.FaceMesh(max_num_faces=options["faces"])
            self.found = lambda answer: len(answer.multi_face_landmarks or [])
        else:
            graph = solutions.face_detection.FaceDetection(model_selection=0)
            self.found = lambda answer: len(answer.detections or [])
        self.graph = graph
        self.words = f"mediapipe {mediapipe.__version__}, face {options['what']}"

    def reset(self):
        self.graph.reset()

    def frame(self, picture):
        return self.found(self.graph.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)))

    def nets(self):
        return {}


if __name__ == "__main__":
    worker.serve(MediaPipe)
